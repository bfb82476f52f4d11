"""Wilson's interval against scipy, and its coverage for means of several draws."""

import numpy as np
import pytest

from rsc_snn.errors import InputError
from rsc_snn.evaluation.intervals import estimate, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (512, 1000), (999, 1000), (0, 1)])
def test_wilson_equals_scipy(successes: int, n: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson(successes / n, n) == pytest.approx((successes / n, expected.low, expected.high), abs=1e-12)


def test_coverage_is_at_least_95_percent_for_means_of_draws() -> None:
    """Images of accuracy 0.2 to 1.0, five draws each: the interval over 200 images covers the mean."""
    generator = np.random.default_rng(0)
    hits, trials, n = 0, 2000, 200
    for _ in range(trials):
        chance = generator.choice([0.2, 0.9, 1.0], size=n, p=[0.3, 0.3, 0.4])
        means = generator.binomial(5, chance) / 5
        interval = estimate(means.tolist())
        hits += interval.low <= 0.3 * 0.2 + 0.3 * 0.9 + 0.4 * 1.0 <= interval.high
    assert hits / trials >= 0.95 - 4 * (0.95 * 0.05 / trials) ** 0.5


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        wilson(0.5, 0)
    with pytest.raises(InputError, match=r"mean in \[0, 1\]"):
        wilson(80.0, 10)
