"""Paired differences against scipy and hand calculations."""

import math

import numpy as np
import pytest
from scipy import stats

from rsc_snn.auditing.finding import bare_point, judged, judged_share, point, worst_of
from rsc_snn.auditing.paired import is_surely_above, paired
from rsc_snn.errors import InputError
from rsc_snn.evaluation.intervals import wilson
from rsc_snn.runs.audit_schema import FAIL, NOT_APPLICABLE, PASS, WARN


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random(40), generator.random(40)
    found = paired(first.tolist(), second.tolist())
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert found.value == pytest.approx(float((first - second).mean()))
    assert found.low == pytest.approx(expected.low, rel=1e-9)
    assert found.high == pytest.approx(expected.high, rel=1e-9)


def test_differences_that_are_all_zero_or_all_one() -> None:
    nothing = paired([1.0] * 30, [1.0] * 30)
    assert (nothing.value, nothing.low, nothing.high, nothing.chance) == (0.0, 0.0, 0.0, 1.0)
    assert nothing.level == pytest.approx(0.05)
    everything = paired([1.0] * 30, [0.0] * 30)
    assert (everything.value, everything.low, everything.high) == (1.0, 1.0, 1.0)
    assert everything.is_positive
    assert not paired([1.0] * 5, [0.0] * 5).is_positive, "five images: chance is 2 / 32"
    assert not paired([1.0], [0.0]).is_positive


def test_comparisons_widen_the_interval() -> None:
    one = paired([1.0, 0.0] * 20, [0.0, 0.0] * 20)
    ten = paired([1.0, 0.0] * 20, [0.0, 0.0] * 20, num_comparisons=10)
    assert ten.low < one.low < one.value
    assert ten.level == pytest.approx(0.005)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        paired([], [])


def test_verdicts_need_size_and_certainty() -> None:
    """Of 100 images: 20 against 0 is both, 4 against 0 neither (chance 1/8), 4 of 20 images large only."""
    both = paired([1.0] * 20 + [0.0] * 80, [0.0] * 100)
    neither = paired([1.0] * 4 + [0.0] * 96, [0.0] * 100)
    large = paired([1.0] * 4 + [0.0] * 16, [0.0] * 20)
    certain = paired([0.02] * 100, [0.0] * 100)
    assert [judged(d) for d in (both, neither, large, certain)] == [FAIL, PASS, WARN, WARN]


def test_shares_are_judged_by_the_exact_binomial_test() -> None:
    """One of 8 has probability 0.077 under 1 %, two of 8 0.0027, two of 50 0.089, three of 50 0.014."""
    counts = [(0, 50), (2, 50), (3, 50), (10, 50), (1, 8), (2, 8), (1, 1)]
    found = [judged_share([1.0] * k + [0.0] * (n - k), limit=0.05, tolerated=0.01) for k, n in counts]
    assert found == [PASS, PASS, FAIL, FAIL, WARN, FAIL, FAIL]
    assert judged_share([0.3] * 8, limit=0.5, tolerated=0.25) == PASS, "2.4 images are two"
    assert judged_share([1.0] * 200 + [0.0] * 4800, limit=0.05, tolerated=0.01) == WARN, "sure, but small"


@pytest.mark.parametrize(("count", "n", "share"), [(1, 8, 0.01), (2, 100, 0.005), (6, 40, 0.05), (3, 3, 0.5)])
def test_the_binomial_tail_is_exact(count: int, n: int, share: float) -> None:
    values = [1.0] * count + [0.0] * (n - count)
    tail = stats.binom.sf(count - 1, n, share)
    assert is_surely_above(values, share) == (tail < 0.025)


def test_the_worst_verdict() -> None:
    assert worst_of([PASS, NOT_APPLICABLE, WARN]) == WARN
    assert worst_of([PASS, NOT_APPLICABLE]) == PASS
    assert worst_of([NOT_APPLICABLE]) == NOT_APPLICABLE
    assert worst_of([FAIL, WARN]) == FAIL


def test_points() -> None:
    low, high = wilson(0.5, 2)[1:]
    assert point(3, [1.0, 0.0]) == (3.0, 0.5, low, high)
    assert bare_point(1, 7) == (1.0, 7.0, None, None)
    assert math.isclose(low + high, 1.0)
