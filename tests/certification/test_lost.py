"""Which images an attack has surely taken from the majority."""

import numpy as np
import pytest
from scipy import stats

from rsc_snn.certification.lost import is_surely_lost
from rsc_snn.errors import RangeError


def test_it_is_a_binomial_test_of_each_other_class_against_the_label() -> None:
    """P(k or more of n at 1/2) <= alpha / 2 for one of two others, by scipy."""
    limit = int(stats.binom.isf(0.0005, 100, 0.5))  # the largest k with P(more than k) > 0.0005 is below
    assert stats.binom.sf(limit, 100, 0.5) < 0.0005 <= stats.binom.sf(limit - 1, 100, 0.5)
    assert is_surely_lost([99 - limit, limit + 1, 0], 0)
    assert not is_surely_lost([100 - limit, limit, 0], 0)
    assert is_surely_lost([0, 0, 30], 1)
    assert not is_surely_lost([0, 0, 10], 1), "ten votes are too few for 0.0005"
    assert not is_surely_lost([40, 30, 30], 0)
    assert not is_surely_lost([0, 0, 0], 0)
    with pytest.raises(RangeError):
        is_surely_lost([1, 2], 0, 1.0)


def test_a_label_with_the_majority_is_lost_as_rarely_as_promised() -> None:
    """A tie of label and another, the worst case: lost in at most alpha of the repeats."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(200, [0.4, 0.4, 0.2], size=20_000)
    lost = sum(is_surely_lost(row.tolist(), 0, 0.05) for row in counts)
    assert 0 < lost <= stats.binom.ppf(0.9999, 20_000, 0.05)
    assert (counts[:, 1] > counts[:, 0]).mean() > 0.4
