"""Lower bounds of a probability from a number of draws fixed beforehand. Needs no torch."""

import bisect
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from rsc_snn.errors import DTypeError, RangeError


def lower_bound(successes: ArrayLike, trials: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Return the one-sided lower bound of a success probability [Clopper and Pearson, Biometrika 1934].

    It is the p under which so many or more successes have probability alpha, and exceeds the true
    probability in at most alpha of the repeats. That holds only where ``trials`` was fixed before the first
    draw: for looking again and again there is ``sequence``.

    Args:
        successes: Counts, 0 <= successes <= trials, any shape that broadcasts with ``trials``.
        trials: Independent draws, >= 1.
        alpha: Probability of an error, in (0, 0.5).

    Returns:
        Bounds in [0, 1), float64, of the broadcast shape (0-d for two numbers); 0 without a success.

    Raises:
        RangeError, DTypeError: counts that are impossible or not integers, alpha outside (0, 0.5).
    """
    require_alpha(alpha)
    k, n = counted(successes, trials)
    return np.asarray(np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, alpha)))


def highest_bound(trials: int, alpha: float) -> float:
    """Return the lower bound that ``trials`` >= 1 draws give if all succeed: alpha^(1 / trials)."""
    require_alpha(alpha)
    counted(0, trials)
    return float(alpha ** (1 / trials))


def least_trials(chance: float, alpha: float) -> int:
    """Return the smallest number of draws that can put the lower bound above ``chance``, in (0, 1).

    Fewer draws cannot certify, however they fall. For any radius at all the chance is 1/2.
    """
    require_alpha(alpha)
    require_chance(chance)
    return fewest(lambda trials: highest_bound(trials, alpha) > chance)


def fewest(is_enough: Callable[[int], bool]) -> int:
    """Return the smallest number >= 1 that is enough, where all larger ones are too."""
    few, enough = 0, 1
    while not is_enough(enough):
        few, enough = enough, 2 * enough
    return bisect.bisect_left(range(enough), True, lo=few + 1, key=is_enough)


def require_alpha(alpha: float) -> None:
    """Raise RangeError unless 0 < alpha < 1/2.

    A bound that is wrong in half of the repeats or more bounds nothing, and who gives 0.999 means 0.001.
    """
    if not 0 < alpha < 0.5:
        raise RangeError(
            f"alpha, the probability of an error, must lie in (0, 0.5), got {alpha};"
            " for confidence 0.999 give 0.001"
        )


def require_chance(chance: ArrayLike) -> None:
    """Raise RangeError unless 0 < chance < 1; at 1 no number of draws proves anything."""
    values = np.asarray(chance, dtype=np.float64)
    if not ((values > 0) & (values < 1)).all():
        raise RangeError(
            f"the chance to be exceeded must lie in (0, 1), got {chance!r}; choose a radius within reach"
        )


def counted(successes: ArrayLike, trials: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both as int64; raise unless they are integers with 0 <= successes <= trials, trials >= 1."""
    k, n = np.asarray(successes), np.asarray(trials)
    if k.dtype.kind not in "iu" or n.dtype.kind not in "iu":
        raise DTypeError(f"successes and trials are integer counts, got {k.dtype} and {n.dtype}")
    k, n = k.astype(np.int64), n.astype(np.int64)
    if not ((k >= 0) & (k <= n) & (n >= 1)).all():
        raise RangeError(
            f"expected 0 <= successes <= trials and trials >= 1, got successes {_span(k)}, trials {_span(n)}"
        )
    return k, n


def _span(counts: NDArray[np.int64]) -> str:
    return str(counts) if counts.ndim == 0 else f"from {counts.min()} to {counts.max()}"
