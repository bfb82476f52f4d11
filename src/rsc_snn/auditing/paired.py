"""Differences on the same images, with their intervals. Needs no torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from rsc_snn.errors import InputError
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
    n, mean = len(differences), float(differences.mean())
    if n == 1:
        return Difference(mean, -1.0, 1.0, 1.0, level)
    half = t_quantile(1 - level / 2, n - 1) * float(differences.std(ddof=1)) / math.sqrt(n)
    chance = sign_test(int((differences > 0).sum()), int((differences < 0).sum()))
    return Difference(mean, mean - half, mean + half, chance, level)


def sign_test(num_up: int, num_down: int) -> float:
    """Return the two-sided probability of a split at least as uneven under Binomial(n, 1/2)."""
    n = num_up + num_down
    tail = sum(math.comb(n, k) for k in range(min(num_up, num_down) + 1))
    return min(1.0, 2 * tail / math.pow(2, n))


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


def t_quantile(probability: float, freedom: int) -> float:
    """Return Student's t quantile by its expansion in 1 / freedom [Abramowitz and Stegun, 26.7.5].

    Within 1 % for three degrees of freedom or more up to probability 0.975; exact for one and two.
    """
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:
        return (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))
    z, n = NormalDist().inv_cdf(probability), freedom
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / math.pow(n, power) for power, term in enumerate(terms, start=1))
