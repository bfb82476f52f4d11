"""Samples beside a formula: every entry's difference in standard errors."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

THRESHOLD = 5.0  # standard errors, for every entry
_ROUNDING = 1e-9  # of the largest entry; a smaller difference counts as none
_LARGEST = 1e9  # stands for a difference without any standard error


@dataclass(frozen=True)
class Comparison:
    """The entry that is farthest from its formula.

    Attributes:
        largest: Its |difference| / standard error.
        place: Where it is: (i, j) of a covariance, (i,) of a mean.
        found: The sample's entry.
        expected: The formula's.
        error: Standard error of the difference.
        num_entries: Different entries that were compared; a symmetric matrix M x M has M (M + 1) / 2.
    """

    largest: float
    place: tuple[int, ...]
    found: float
    expected: float
    error: float
    num_entries: int

    @property
    def is_met(self) -> bool:
        """Whether every entry lies within five standard errors."""
        return self.largest <= THRESHOLD


def compare(
    found: Float[Tensor, "*shape"], expected: Float[Tensor, "*shape"], error: Float[Tensor, "*shape"]
) -> Comparison:
    """Compare the entries of a mean [M], or of a symmetric matrix [M, M], whose upper half counts."""
    is_matrix = found.ndim == 2
    places = torch.triu_indices(*found.shape).T if is_matrix else torch.arange(len(found))[:, None]
    entries = [values[tuple(places.T)] for values in (found, expected, error)]
    differences = (entries[0] - entries[1]).abs()
    scale = max(float(values.abs().max()) for values in entries)
    is_rounding = differences <= _ROUNDING * scale
    ratios = torch.where(is_rounding, 0.0, differences / entries[2]).clamp(max=_LARGEST)
    worst = int(ratios.argmax())
    return Comparison(
        largest=float(ratios[worst]),
        place=tuple(places[worst].tolist()),
        found=float(entries[0][worst]),
        expected=float(entries[1][worst]),
        error=float(entries[2][worst]),
        num_entries=len(places),
    )


def chance_of_any(num_entries: int) -> float:
    """At most so likely does any of so many normal estimates miss its true value by five standard errors."""
    return min(1.0, num_entries * math.erfc(THRESHOLD / math.sqrt(2)))
