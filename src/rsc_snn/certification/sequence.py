"""Lower bounds of a probability that stay valid however often one looks. Needs no torch.

A gambler who believes that the success probability p is above a chance c spreads one unit over all q > c and
lets each part multiply by q/c after a success and by (1 - q)/(1 - c) after a failure. If p <= c, no part
grows on average, so that the capital E ever reaches 1/alpha with probability at most alpha [Ville 1939;
Waudby-Smith and Ramdas, JRSS B 2024]. Where it does, p > c is proven, whenever one looked and whyever one
stopped. The unit is spread as the prior Beta(1/2, 1/2) cut to (c, 1), which has a closed form: with k
successes of n

    E = B(k + 1/2, n - k + 1/2) I(k + 1/2, n - k + 1/2) / (pi I(1/2, 1/2) c^k (1 - c)^(n - k)),

I(a, b) being the probability of (c, 1) under Beta(a, b).

E grows with k: every part's factor for a success is above 1 and for a failure below 1.
E >= 2 falls as c grows: d log E / dc <= (1/2 - (k - n c)) / (c (1 - c)), since (1 - 1/E) times the cut
prior's density at c is at most 1 / (2 c (1 - c)); and k - n c <= 1/2 leaves E below 2, as
k log(k / (k - 1/2)) <= log 2. So for alpha < 1/2 the chances that are disproven are an interval (0, bound].
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincc, betaln

from rsc_snn.certification.bounds import counted, fewest, require_alpha, require_chance

_HALVINGS = 60  # of the unit interval: beyond float64 for bounds above 1e-2, 1e-18 below


def log_evidence(successes: ArrayLike, trials: ArrayLike, chance: ArrayLike) -> NDArray[np.float64]:
    """Return log E, the natural logarithm of the capital won by betting on a probability above ``chance``.

    Args:
        successes: Counts so far, 0 <= successes <= trials.
        trials: Independent draws so far, >= 1; tested up to 1e6.
        chance: What the probability is to exceed, in (0, 1).

    Returns:
        Float64 of the shape to which the three broadcast, 0-d for numbers. Where ``chance`` lies so far above
        the share of successes that the tail I underflows, -inf: E is at most 1 there, and proves nothing.

    Raises:
        RangeError, DTypeError: impossible counts, or a chance outside (0, 1).
    """
    require_chance(chance)
    k, n = counted(successes, trials)
    return _log_evidence(k, n, chance)


def is_proven(successes: ArrayLike, trials: ArrayLike, chance: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Whether the draws so far prove a probability above ``chance``; shapes as for ``log_evidence``.

    If it is not above, this is ever true, over all draws without end, with probability at most alpha,
    which lies in (0, 0.5).
    """
    require_alpha(alpha)
    return np.asarray(log_evidence(successes, trials, chance) >= -math.log(alpha))


def is_hopeless(
    successes: ArrayLike, trials: ArrayLike, chance: ArrayLike, alpha: float
) -> NDArray[np.bool_]:
    """Whether to give up trying to prove a probability above ``chance``. It claims nothing.

    It is true where the mirrored bet, on failures, proves a probability below ``chance`` at ``alpha``. To
    stop here spends none of the alpha of ``is_proven``, which allows every reason for stopping; a generous
    alpha such as 0.05 only loses, on average, at most that share of the images whose probability is above.
    """
    k, n = counted(successes, trials)
    require_chance(chance)
    return is_proven(n - k, n, 1 - np.asarray(chance, dtype=np.float64), alpha)


def least_successes(trials: ArrayLike, chance: float, alpha: float) -> NDArray[np.int64]:
    """Return for each number of draws the fewest successes that prove a probability above ``chance``.

    Where not even all draws would, it is trials + 1: test that before a run, as ``least_trials`` does for a
    fixed number of draws. Arguments as for ``is_proven``; int64 of the shape of ``trials``.
    """
    require_alpha(alpha)
    require_chance(chance)
    _, n = counted(0, trials)
    few, enough = np.zeros_like(n), n + 1  # no success proves nothing: E <= 1
    while (enough - few > 1).any():
        middle = (few + enough) // 2
        proven = _log_evidence(middle, n, chance) >= -math.log(alpha)
        few, enough = np.where(proven, few, middle), np.where(proven, middle, enough)
    return np.asarray(enough)


def least_trials_in_sequence(chance: float, alpha: float) -> int:
    """Return the fewest draws that prove a probability above ``chance``, in (0, 1), if they all agree."""
    require_alpha(alpha)
    require_chance(chance)
    return fewest(lambda trials: bool(_log_evidence(trials, trials, chance) >= -math.log(alpha)))


def lower_bound_so_far(successes: ArrayLike, trials: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Return the largest chance such that the draws so far prove the probability above it and all below it.

    It ever exceeds the true probability, over all draws without end, with probability at most alpha: valid
    wherever one stops. Never above ``bounds.lower_bound`` of the same counts.

    Args:
        successes: Counts so far, 0 <= successes <= trials.
        trials: Independent draws so far, >= 1.
        alpha: Probability of an error, in (0, 0.5).

    Returns:
        Bounds in [0, 1), rounded towards 0, of the broadcast shape; 0 where nothing is proven.
    """
    require_alpha(alpha)
    k, n = np.broadcast_arrays(*counted(successes, trials))
    low, high = np.zeros(k.shape), k / n  # above the share of successes E is at most 1
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        inside = (middle > 0) & (middle < 1)
        proven = inside & (_log_evidence(k, n, np.where(inside, middle, 0.5)) >= -math.log(alpha))
        low, high = np.where(proven, middle, low), np.where(proven, high, middle)
    return np.asarray(low)


def _log_evidence(successes: ArrayLike, trials: ArrayLike, chance: ArrayLike) -> NDArray[np.float64]:
    k, n, chance = np.asarray(successes), np.asarray(trials), np.asarray(chance)
    wins, losses = k + 0.5, n - k + 0.5
    tail = betaincc(wins, losses, chance)
    with np.errstate(divide="ignore"):  # a tail that underflows lies beyond k / n, where E <= 1: -inf is safe
        tail = np.log(np.where(tail < np.finfo(np.float64).tiny, 0.0, tail))
    spread = math.log(math.pi) + np.log(betaincc(0.5, 0.5, chance))
    return np.asarray(betaln(wins, losses) + tail - spread - k * np.log(chance) - (n - k) * np.log1p(-chance))
