"""Clopper-Pearson's lower bound: against two libraries, in closed form, and its exact coverage."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rsc_snn.certification.bounds import highest_bound, least_trials, lower_bound
from rsc_snn.errors import DTypeError, RangeError

ALPHAS = (0.3, 0.05, 0.001, 1e-7)
Bound = Callable[[NDArray[np.int64], int, float], NDArray[np.float64]]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [1, 2, 10, 137, 1000, 100_000])
def test_equals_scipy_and_statsmodels(n: int, alpha: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    k = np.unique(np.linspace(0, n, 41).astype(int))
    found = lower_bound(k, n, alpha)
    assert found[0] == 0
    np.testing.assert_allclose(found[1:], stats.beta.ppf(alpha, k[1:], n - k[1:] + 1), rtol=0, atol=1e-12)
    low, _ = proportion_confint(k, n, alpha=2 * alpha, method="beta")
    np.testing.assert_allclose(found, low, rtol=0, atol=1e-12)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_solves_the_binomial_tail(alpha: float) -> None:
    """Its definition, summed count by count: so many or more successes have probability alpha under it."""
    for k, n in [(1, 1), (1, 7), (4, 7), (60, 100), (99, 100)]:
        tail = stats.binom.pmf(np.arange(k, n + 1), n, float(lower_bound(k, n, alpha))).sum()
        assert tail == pytest.approx(alpha, rel=1e-10)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_all_successes_have_a_closed_form(alpha: float) -> None:
    for n in (1, 2, 100, 100_000):
        assert highest_bound(n, alpha) == pytest.approx(float(lower_bound(n, n, alpha)), abs=1e-12)
    assert highest_bound(1, alpha) == alpha


def test_shapes_broadcast() -> None:
    assert lower_bound(3, 10, 0.05).shape == ()
    assert lower_bound(np.array([[1], [2]]), np.array([5, 6, 7]), 0.05).shape == (2, 3)
    few = np.array([200], dtype=np.uint8)  # must not wrap around at 256
    assert lower_bound(few, np.array([201], dtype=np.uint8), 0.05) == lower_bound(200, 201, 0.05)


@pytest.mark.parametrize("chance", [0.01, 0.5, 0.785, 0.99, 1 - 1e-12])
@pytest.mark.parametrize("alpha", [*ALPHAS, 2**-10])
def test_least_trials_is_where_the_highest_bound_passes(chance: float, alpha: float) -> None:
    n = least_trials(chance, alpha)
    assert highest_bound(n, alpha) > chance
    assert n == 1 or highest_bound(n - 1, alpha) <= chance


def test_least_trials_by_hand() -> None:
    assert least_trials(0.5, 0.001) == 10  # 2^-10 < 0.001 < 2^-9
    assert least_trials(0.5, 2**-10) == 11  # at 10 the bound is 1/2, not above it


# Exact coverage


def smallest_coverage(bound: Bound, n: int, alpha: float) -> float:
    """Return the smallest probability over p that the bound of n draws is at most p, by summing the binomial.

    The coverage jumps down just below each value of the bound: these p are tried besides an even grid.
    """
    k = np.arange(n + 1)
    values = np.broadcast_to(bound(k, n, alpha), k.shape)
    p = np.concatenate([np.linspace(0.005, 0.995, 199), np.nextafter(values[values > 0], 0)])
    masses = stats.binom.pmf(k, n, p[:, None])
    return float((masses * (values <= p[:, None])).sum(1).min())


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [1, 2, 10, 100, 500])
def test_coverage_is_never_below_its_promise(n: int, alpha: float) -> None:
    coverage = smallest_coverage(lower_bound, n, alpha)
    assert coverage >= 1 - alpha - 1e-12
    assert coverage <= 1 - alpha + 1e-9  # and reached: the grid holds the worst p


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [10, 100, 500])
def test_two_counts_too_many_lose_the_coverage(n: int, alpha: float) -> None:
    def shifted(k: NDArray[np.int64], n: int, alpha: float) -> NDArray[np.float64]:
        return lower_bound(np.minimum(k + 2, n), n, alpha)

    assert smallest_coverage(shifted, n, alpha) < 1 - 2 * alpha


# Errors


@pytest.mark.parametrize("alpha", [0.0, 1.0, 0.5, 0.999, -0.1, float("nan")])
def test_alpha_without_a_meaning_is_refused(alpha: float) -> None:
    for call in (
        lambda: lower_bound(1, 2, alpha),
        lambda: highest_bound(2, alpha),
        lambda: least_trials(0.5, alpha),
    ):
        with pytest.raises(
            RangeError, match=r"alpha, .* must lie in \(0, 0.5\), got .*for confidence 0.999 give 0.001"
        ):
            call()


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0), ([1, 9], [5, 5])])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(RangeError, match="0 <= successes <= trials and trials >= 1, got successes"):
        lower_bound(k, n, 0.05)


def test_shares_instead_of_counts_are_refused() -> None:
    with pytest.raises(DTypeError, match="integer counts, got float64"):
        lower_bound(0.9, 100, 0.05)


@pytest.mark.parametrize("chance", [0.0, 1.0, 1.5, float("nan")])
def test_a_chance_out_of_reach_is_refused(chance: float) -> None:
    with pytest.raises(RangeError, match=r"must lie in \(0, 1\), got .*radius within reach"):
        least_trials(chance, 0.05)
