"""The confidence sequence: evidence by integration, its promise exactly and over paths, consistency."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from rsc_snn.certification import bounds
from rsc_snn.certification.sequence import (
    is_hopeless,
    is_proven,
    least_successes,
    log_evidence,
    lower_bound_so_far,
)
from rsc_snn.errors import DTypeError, RangeError

ALPHAS = (0.3, 0.05, 0.001, 1e-7)
CHANCES = (0.01, 0.5, 0.785, 0.9, 0.999)


def integrated(k: int, n: int, chance: float) -> float:
    """Return log E by quadrature over the angle whose squared sine is q, where the cut prior is uniform."""
    start = math.asin(math.sqrt(chance))
    peak = min(max(math.asin(math.sqrt(k / n)), start), math.pi / 2)
    reach = 12 / math.sqrt(n)  # the likelihood of an angle is nearly Gaussian with deviation 1 / (2 sqrt(n))

    def log_ratio(angle: float) -> float:
        wins = k * 2 * math.log(math.sin(angle) / math.sin(start)) if k else 0.0
        return wins + ((n - k) * 2 * math.log(math.cos(angle) / math.cos(start)) if n > k else 0.0)

    low, high = max(start, peak - reach), min(math.pi / 2, peak + reach)
    top = log_ratio(peak)
    area = integrate.quad(
        lambda angle: math.exp(log_ratio(angle) - top), low, high, epsabs=0, epsrel=1e-12, limit=200
    )[0]
    return top + math.log(area / (math.pi / 2 - start))


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_the_evidence_is_the_mixture_of_likelihood_ratios(n: int, chance: float) -> None:
    for k in range(n + 1):
        assert float(log_evidence(k, n, chance)) == pytest.approx(
            integrated(k, n, chance), rel=1e-9, abs=1e-9
        )


@pytest.mark.parametrize(
    ("k", "n", "chances"),
    [
        (900_500, 1_000_000, (0.5, 0.785, 0.9)),
        (999_990, 1_000_000, (0.5, 0.9, 0.9999)),
        (80_000, 100_000, (0.1, 0.5, 0.785, 0.7999)),
        (5100, 10_000, (0.5, 0.509)),
    ],
)
def test_the_evidence_of_many_draws(k: int, n: int, chances: tuple[float, ...]) -> None:
    for chance in chances:
        assert float(log_evidence(k, n, chance)) == pytest.approx(integrated(k, n, chance), abs=1e-8)


def test_the_evidence_by_hand() -> None:
    """One success of one: the mean of q over the prior cut at 1/2, which is 1/2 + 1/pi, divided by 1/2."""
    assert float(log_evidence(1, 1, 0.5)) == pytest.approx(math.log(1 + 2 / math.pi), rel=1e-12)
    assert float(log_evidence(0, 1, 0.5)) == pytest.approx(math.log(1 - 2 / math.pi), rel=1e-12)


def test_no_number_overflows() -> None:
    n = 1_000_000
    found = log_evidence(np.array([0, 1, n // 2, n - 1, n]), n, np.array([[1e-9], [0.5], [1 - 1e-9]]))
    assert found.shape == (3, 5)
    assert not np.isnan(found).any()
    assert (found < math.inf).all()
    assert found[1, 0] == -math.inf  # hopeless, not an error


@pytest.mark.parametrize("chance", CHANCES)
def test_the_capital_is_a_martingale_at_the_chance_and_shrinks_below(chance: float) -> None:
    """Its mean over n draws, summed over the binomial, is 1; its mean after one more draw is what it was."""
    for n in (1, 2, 10, 40):
        k = np.arange(n + 1)
        capital = np.exp(log_evidence(k, n, chance))
        assert stats.binom.pmf(k, n, chance) @ capital == pytest.approx(1, abs=1e-10)
        for below in (0.1, 0.5, 0.9, 0.99):
            assert stats.binom.pmf(k, n, below * chance) @ capital < 1
        won, lost = (np.exp(log_evidence(k + step, n + 1, chance)) for step in (1, 0))
        np.testing.assert_allclose(chance * won + (1 - chance) * lost, capital, rtol=1e-10)


@pytest.mark.parametrize("chance", CHANCES)
def test_the_evidence_grows_with_the_successes(chance: float) -> None:
    for n in (1, 10, 500, 2000):
        found = log_evidence(np.arange(n + 1), n, chance)
        known = found > -math.inf
        assert (np.diff(found[known]) > 0).all()
        assert (np.diff(known.astype(int)) >= 0).all()  # -inf comes first only,
        assert known[np.arange(n + 1) >= n * chance].all()  # and where there is nothing to prove


def test_the_evidence_falls_with_the_chance_where_it_is_at_least_two() -> None:
    """What makes the disproven chances an interval."""
    chance = np.linspace(0.001, 0.999, 1997)
    for n in (1, 2, 3, 10, 300):
        for k in range(0, n + 1, max(1, n // 30)):
            found = log_evidence(k, n, chance)
            num_large = int((found >= math.log(2)).sum())
            assert (found[:num_large] >= math.log(2)).all()
            assert (np.diff(found[: num_large + 1]) < 0).all()
            assert (found[chance * n >= k] <= 0).all()


# Decisions and bounds


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("chance", CHANCES)
def test_least_successes_is_where_the_proof_begins(chance: float, alpha: float) -> None:
    n = np.arange(1, 400)
    least = least_successes(n, chance, alpha)
    within = least <= n
    assert is_proven(least[within], n[within], chance, alpha).all()
    assert not is_proven(least - 1, n, chance, alpha).any()
    assert (least[~within] == n[~within] + 1).all()


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [1, 2, 10, 300, 100_000])
def test_the_bound_is_where_the_proof_ends(n: int, alpha: float) -> None:
    k = np.unique(np.linspace(0, n, 60).astype(int))
    bound = lower_bound_so_far(k, n, alpha)
    assert bound[0] == 0
    assert (np.diff(bound) >= 0).all()
    assert (np.diff(bound)[k[:-1] > 0] > 0).all()
    above = bound > 0
    for share in (1e-3, 0.5, 0.9, 1.0):
        assert is_proven(k[above], n, share * bound[above], alpha).all()
    assert not is_proven(k, n, bound + 1e-9 * (1 - bound), alpha).any()


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [1, 2, 10, 300, 100_000])
def test_the_bound_is_never_above_clopper_pearsons(n: int, alpha: float) -> None:
    """At one n it is a level-alpha test of k >= a threshold; Clopper-Pearson's is the strongest of these."""
    k = np.unique(np.linspace(0, n, 200).astype(int))
    assert (lower_bound_so_far(k, n, alpha) <= bounds.lower_bound(k, n, alpha)).all()


def test_the_price_of_looking_is_small() -> None:
    """At n = 100,000 and alpha 0.001 the distance to the share is at most 1.65 times Clopper-Pearson's."""
    n = 100_000
    k = np.array([50_000, 78_500, 90_000, 99_000, 99_900])
    ratio = (k / n - lower_bound_so_far(k, n, 0.001)) / (k / n - bounds.lower_bound(k, n, 0.001))
    assert (ratio < 1.65).all()


def test_shapes_broadcast() -> None:
    assert lower_bound_so_far(3, 10, 0.05).shape == ()
    assert is_proven(3, 10, 0.5, 0.05).shape == ()
    assert lower_bound_so_far(np.array([[1], [2]]), np.array([5, 6, 7]), 0.05).shape == (2, 3)
    assert least_successes(np.array([[5, 6]]), 0.5, 0.05).shape == (1, 2)
    assert least_successes(5, 0.5, 0.05).shape == ()


def test_giving_up_mirrors_the_proof() -> None:
    assert is_hopeless(300, 1000, 0.5, 0.05)
    assert not is_hopeless(480, 1000, 0.5, 0.05)
    assert not is_hopeless(900, 1000, 0.5, 0.05)
    k = np.arange(101)
    assert (is_hopeless(k, 100, 0.25, 0.05) == is_proven(100 - k, 100, 0.75, 0.05)).all()


# Paths

NUM_PATHS, HORIZON = 10_000, 10_000
LOOKS = np.arange(1, HORIZON + 1)


def first_times(chance: float, thresholds: list[NDArray[np.int64]], *, seed: int) -> NDArray[np.int64]:
    """Return [thresholds, paths]: the draw at which successes first reach each threshold [looks], or 0."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(NUM_PATHS // 500):
        won = generator.random((500, HORIZON), dtype=np.float32) < chance
        counts = won.cumsum(1, dtype=np.int16)
        reached = (counts >= threshold.astype(np.int16) for threshold in thresholds)
        found.append([np.where(hit.any(1), hit.argmax(1) + 1, 0) for hit in reached])
    return np.concatenate(found, axis=1)


def peeking(trials: NDArray[np.int64], chance: float, alpha: float) -> NDArray[np.int64]:
    """Return ``least_successes`` of Clopper-Pearson's bound applied anew at every look."""
    few, enough = np.zeros_like(trials), trials + 1
    while (enough - few > 1).any():
        middle = (few + enough) // 2
        proven = bounds.lower_bound(middle, trials, alpha) > chance
        few, enough = np.where(proven, few, middle), np.where(proven, middle, enough)
    return enough


Threshold = Callable[[NDArray[np.int64], float, float], NDArray[np.int64]]


def keeps_its_promise(threshold: Threshold, chance: float, *, seed: int) -> list[bool]:
    """Whether the paths that ever miss are no more than the 0.9999 quantile, at alpha 0.05 and 0.001."""
    alphas = (0.05, 0.001)
    times = first_times(chance, [threshold(LOOKS, chance, alpha) for alpha in alphas], seed=seed)
    misses = (times > 0).sum(1)
    return [bool(m <= stats.binom.ppf(0.9999, NUM_PATHS, a)) for m, a in zip(misses, alphas, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("chance", [0.5, 0.785, 0.9, 0.99])
def test_paths_at_the_chance_miss_no_more_often_than_alpha(chance: float) -> None:
    assert keeps_its_promise(least_successes, chance, seed=1) == [True, True]


@pytest.mark.slow
def test_looking_again_and_again_breaks_clopper_pearson() -> None:
    assert keeps_its_promise(peeking, 0.785, seed=2) == [False, False]


@pytest.mark.slow
def test_a_higher_probability_is_proven_soon() -> None:
    """At 0.9 every path proves a chance of 0.785 with alpha 0.001, in a tenth of the 10,000 draws at most."""
    times = first_times(0.9, [least_successes(LOOKS, 0.785, 0.001)], seed=3)[0]
    assert (times > 0).all()
    assert times.mean() < HORIZON / 20
    assert np.quantile(times, 0.999) < HORIZON / 10


# Errors


def test_bad_input_is_refused() -> None:
    with pytest.raises(RangeError, match=r"alpha, .* must lie in \(0, 0.5\)"):
        lower_bound_so_far(1, 2, 0.999)
    with pytest.raises(RangeError, match=r"alpha, .* must lie in \(0, 0.5\)"):
        is_proven(1, 2, 0.5, 0.0)
    with pytest.raises(RangeError, match=r"alpha, .* must lie in \(0, 0.5\)"):
        least_successes(10, 0.5, 1.0)
    with pytest.raises(RangeError, match="0 <= successes <= trials"):
        log_evidence(3, 2, 0.5)
    with pytest.raises(RangeError, match=r"must lie in \(0, 1\), got 1.0"):
        is_hopeless(1, 2, 1.0, 0.05)
    with pytest.raises(DTypeError, match="integer counts"):
        is_proven(0.5, 2, 0.5, 0.05)
