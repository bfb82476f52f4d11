"""The bound of a single draw's expected accuracy: how often it exceeds the truth."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rsc_snn.report.certificates import single_draw_bounds
from rsc_snn.runs.files import Row

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

ALPHA, STD, RADIUS = 0.05, 0.5, 0.5
NUM_IMAGES, NUM_DRAWS, NUM_REPEATS = 20, 200, 1000
CHANCES = np.linspace(0.55, 0.99, NUM_IMAGES)  # of the label of each image


def row_of(votes: int, *, index: int = 0, alpha: float = ALPHA) -> Row:
    return {
        "index": index, "label": 1, "predicted": 1, "radius": 0.1, "norm": "l2",
        "counts": [NUM_DRAWS - votes, votes], "num_draws": NUM_DRAWS,
        "num_select": 100, "num_estimate": NUM_DRAWS, "alpha": alpha, "seed": 0, "target": None,
        "scale": STD, "num_values": 64, "batch_size": 8, "rows_per_pass": 256,
    }  # fmt: skip


def left_of(chances: Values) -> Values:
    """Phi(Phi^-1(p) - r / std): what an attack leaves of the probabilities of a base that is linear."""
    return np.asarray(stats.norm.cdf(stats.norm.ppf(chances) - RADIUS / STD))


def bounds_of_images(alpha: float) -> Values:
    """The bound of a single image at an alpha of its own, for every possible count of votes."""
    rows = [row_of(votes, alpha=alpha) for votes in range(NUM_DRAWS + 1)]
    return np.array([single_draw_bounds([row], [RADIUS])[0] for row in rows])


def bound_of_all(votes: Sequence[int]) -> float:
    rows = [row_of(count, index=index) for index, count in enumerate(votes)]
    return single_draw_bounds(rows, [RADIUS])[0]


@cache
def repeats() -> Counts:
    """Votes for the label, [repeats, images]."""
    return np.random.default_rng(0).binomial(NUM_DRAWS, CHANCES, (NUM_REPEATS, NUM_IMAGES))


def share_with_an_image_too_high(alpha: float) -> float:
    """Exactly, by summing the binomial of each image."""
    too_high = bounds_of_images(alpha)[:, None] > left_of(CHANCES)
    masses = stats.binom.pmf(np.arange(NUM_DRAWS + 1)[:, None], NUM_DRAWS, CHANCES)
    return float(1 - (1 - (masses * too_high).sum(0)).prod())


MOST = stats.binom.ppf(0.9999, NUM_REPEATS, ALPHA)


def test_all_images_together_exceed_the_truth_no_more_often_than_alpha() -> None:
    """At alpha / N for each, in repeats and exactly. At alpha for each, far too often."""
    too_high = (bounds_of_images(ALPHA / NUM_IMAGES)[repeats()] > left_of(CHANCES)).any(1)
    exact = share_with_an_image_too_high(ALPHA / NUM_IMAGES)
    assert ALPHA / 4 < exact <= ALPHA
    spread = (exact * (1 - exact) / NUM_REPEATS) ** 0.5
    assert too_high.sum() <= MOST
    assert too_high.mean() == pytest.approx(exact, abs=5 * spread)
    assert share_with_an_image_too_high(ALPHA) > 5 * ALPHA


def test_the_mean_over_images_exceeds_the_truth_as_rarely() -> None:
    """The mean of the bounds against the mean of what is truly left, where an attack reaches it."""
    truth = left_of(CHANCES).mean()
    found = np.array([bound_of_all(votes.tolist()) for votes in repeats()])
    assert (found > truth).sum() <= MOST
    assert found.mean() > truth - 0.2, "and says something"
    of_images = bounds_of_images(ALPHA / NUM_IMAGES)[repeats()]
    np.testing.assert_allclose(found, of_images.mean(1), rtol=0, atol=1e-12)


def test_shares_of_votes_in_place_of_bounds_exceed_the_truth_in_half_of_the_repeats() -> None:
    """They are too high on average as well: what an attack leaves is convex in the probability."""
    truth = left_of(CHANCES).mean()
    plugged_in = left_of(repeats() / NUM_DRAWS).mean(1)
    assert (plugged_in > truth).mean() > 0.45
    assert plugged_in.mean() > truth + 5 * plugged_in.std() / NUM_REPEATS**0.5
