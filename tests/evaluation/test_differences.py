"""Student's interval, its extension and the sign test, against scipy, by hand, and by exact coverage."""

import numpy as np
import pytest
from scipy import stats

from rsc_snn.errors import InputError
from rsc_snn.evaluation.differences import MeanDifference, mean_difference, sign_test, student, t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 29, 999, 9999])
@pytest.mark.parametrize("probability", [0.975, 0.995])
def test_t_quantiles_are_scipys(freedom: int, probability: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-9)


@pytest.mark.parametrize(
    ("up", "down"), [(0, 0), (1, 0), (6, 0), (9, 2), (5, 5), (2, 20), (700, 800), (4000, 4600)]
)
def test_the_sign_test_is_scipys_binomial_test(up: int, down: int) -> None:
    expected = stats.binomtest(up, up + down).pvalue if up + down else 1.0
    assert sign_test(up, down) == pytest.approx(expected, rel=1e-9)


def test_many_differences_have_students_interval() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 2, size=(2, 400)).astype(float)
    found = mean_difference((first - second).tolist())
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert found.value == pytest.approx(float((first - second).mean()))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert not found.is_extended
    assert student(first - second).low == pytest.approx(expected.low, rel=1e-9)


def test_without_a_difference_the_interval_is_not_a_point() -> None:
    """Four more images of +-1 among 104: variance 4 / 103, so 1.98326 * sqrt(4 / 103 / 104) = 0.03832."""
    found = mean_difference([0.0] * 100)
    assert found.student == (0.0, 0.0)
    assert found.is_extended
    assert (found.low, found.high) == pytest.approx((-0.038324, 0.038324), abs=1e-6)


def test_equal_differences_are_not_certain_either() -> None:
    """Thirty images of +1 and 34 in all: mean 30 / 34, variance (34 - 30^2 / 34) / 33."""
    found = mean_difference([1.0] * 30)
    mean, variance = 30 / 34, (34 - 900 / 34) / 33
    half = stats.t.ppf(0.975, 33) * (variance / 34) ** 0.5
    assert found.value == 1.0
    assert found.student == (1.0, 1.0)
    assert (found.low, found.high) == pytest.approx((mean - half, 1.0))
    assert found.low < 0.72


def test_a_single_image_says_next_to_nothing() -> None:
    found = mean_difference([1.0])
    assert found.student is None
    assert found.low < -0.8
    assert found.high == 1.0


def test_the_interval_holds_students_and_stays_in_range() -> None:
    generator = np.random.default_rng(1)
    for n in (2, 3, 10, 50):
        found = mean_difference(generator.uniform(-1, 1, size=n).tolist())
        assert found.student is not None
        assert -1 <= found.low <= found.student[0] <= found.value <= found.student[1] <= found.high <= 1


@pytest.mark.parametrize("values", [[], [1.5], [float("nan")]])
def test_other_values_are_refused(values: list[float]) -> None:
    with pytest.raises(InputError, match=r"differences in \[-1, 1\]"):
        mean_difference(values)


_SHARES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 0.99)


def exact_coverage(
    found: dict[tuple[int, int], tuple[float, float]], n: int, up: float, down: float
) -> float:
    """The probability that the interval covers up - down, summed over every outcome of n images."""
    outcomes = np.array(list(found))
    counts = np.column_stack([outcomes, n - outcomes.sum(1)])
    chances = stats.multinomial.pmf(counts, n, [up, down, 1 - up - down])
    ends = np.array(list(found.values()))
    covers = (ends[:, 0] - 1e-12 <= up - down) & (up - down <= ends[:, 1] + 1e-12)
    return float(chances[covers].sum())


def every_interval(n: int) -> dict[tuple[int, int], MeanDifference]:
    return {
        (x, y): mean_difference([1.0] * x + [-1.0] * y + [0.0] * (n - x - y))
        for x in range(n + 1)
        for y in range(n + 1 - x)
    }


@pytest.mark.parametrize("n", [2, 10, 30, 50])
def test_the_exact_coverage_of_outcomes_0_and_1_is_94_percent_or_more(n: int) -> None:
    found = every_interval(n)
    ours = {key: (interval.low, interval.high) for key, interval in found.items()}
    plain = {key: interval.student or (0.0, 0.0) for key, interval in found.items()}
    pairs = [(up, down) for up in _SHARES for down in _SHARES if up + down <= 1]
    assert min(exact_coverage(ours, n, *pair) for pair in pairs) >= 0.94
    assert min(exact_coverage(plain, n, *pair) for pair in pairs) < 0.3, "Student's alone misses rare images"


def likely(n: int, share: float) -> range:
    """Counts that Binomial(n, share) gives but for a chance of 2e-6."""
    return range(int(stats.binom.ppf(1e-6, n, share)), int(stats.binom.isf(1e-6, n, share)) + 1)


@pytest.mark.parametrize("n", [500, 1000])
def test_the_coverage_is_94_percent_around_the_spread_where_the_extension_ends(n: int) -> None:
    """From 2 to 140 images that differ; every outcome but for a chance of 4e-6."""
    known: dict[tuple[int, int], MeanDifference] = {}
    lowest = {"ours": 1.0, "Student's": 1.0}
    for total in (2, 20, 60, 85, 100, 115, 140):
        for share in (0.5, 0.8, 1.0):
            up, down = total * share / n, total * (1 - share) / n
            outcomes = [(x, y) for x in likely(n, up) for y in likely(n, down)]
            for x, y in outcomes:
                if (x, y) not in known:
                    known[x, y] = mean_difference([1.0] * x + [-1.0] * y + [0.0] * (n - x - y))
            found = {key: (known[key].low, known[key].high) for key in outcomes}
            plain = {key: known[key].student or (0.0, 0.0) for key in outcomes}
            for name, ends in (("ours", found), ("Student's", plain)):
                lowest[name] = min(lowest[name], exact_coverage(ends, n, up, down))
    assert lowest["ours"] >= 0.94
    assert lowest["Student's"] < 0.9
    assert {each.is_extended for each in known.values()} == {True, False}
