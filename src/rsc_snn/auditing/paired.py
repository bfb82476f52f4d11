"""Differences on the same images, with their intervals. Needs no torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rsc_snn.errors import InputError
from rsc_snn.evaluation.differences import sign_test, student
from rsc_snn.evaluation.intervals import CONFIDENCE


@dataclass(frozen=True)
class Difference:
    """The mean of per-image differences.

    Attributes:
        value: Mean difference.
        low: Lower end of the interval, by Student's t.
        high: Upper end.
        chance: Two-sided probability of signs as uneven as these if both were equally likely (the exact
            sign test, which is McNemar's exact test for outcomes 0 and 1).
        level: Probability of an error that is allowed: 0.05 divided by the number of comparisons.
    """

    value: float
    low: float
    high: float
    chance: float
    level: float

    @property
    def is_positive(self) -> bool:
        """Whether interval and sign test agree that it is above 0."""
        return self.low > 0 and self.chance < self.level


def paired(first: Sequence[float], second: Sequence[float], *, num_comparisons: int = 1) -> Difference:
    """Return the mean of ``first`` - ``second`` over images, [N] values each.

    Args:
        first: A value of each image.
        second: Another value of the same images.
        num_comparisons: How many differences the largest was picked from; the interval widens accordingly
            (Bonferroni).
    """
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if differences.ndim != 1 or len(differences) == 0:
        raise InputError(f"expected two values for each of at least one image, got {differences.shape}")
    level = (1 - CONFIDENCE) / num_comparisons
    if len(differences) == 1:
        return Difference(float(differences[0]), -1.0, 1.0, 1.0, level)
    chance = sign_test(int((differences > 0).sum()), int((differences < 0).sum()))
    return Difference(*student(differences, confidence=1 - level), chance, level)


def is_surely_above(values: Sequence[float], share: float) -> bool:
    """Whether the mean of per-image values in [0, 1] is above ``share`` by the exact binomial test.

    The sum is rounded down to whole images, and so many or more must have a probability below 2.5 % under
    Binomial(n, share), 0 < share < 1: one image of eight says nothing against a share of 1 %.
    """
    n, count = len(values), math.floor(sum(values) + 1e-9)
    return sum(_binomial(k, n, share) for k in range(count, n + 1)) < (1 - CONFIDENCE) / 2


def _binomial(k: int, n: int, share: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(share) + (n - k) * math.log1p(-share))
