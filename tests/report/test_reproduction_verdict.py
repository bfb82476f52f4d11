"""Difference of two proportions with both errors, and the verdict: by hand and against statsmodels."""

import math

import numpy as np
import pytest
from scipy import stats

from rsc_snn.evaluation.intervals import Estimate, wilson
from rsc_snn.report.reproduction.measured import Measured, over_seeds
from rsc_snn.report.reproduction.verdict import Verdict, difference, judge, newcombe, seed_half_width


def measured(share: float, num_images: int, *, unit: float = 1.0) -> Measured:
    value = Estimate(*(unit * part for part in wilson(share, num_images)))
    return Measured(value, num_images, (unit * share,), unit)


def test_newcombes_published_example() -> None:
    """56/70 against 48/80: 0.2000 [0.0524, 0.3339] by method 10 [Newcombe 1998, Table II, contrast a]."""
    found = newcombe(wilson(56 / 70, 70), wilson(48 / 80, 80))
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_newcombe_by_hand_for_four_images_each() -> None:
    """Wilson of 1/2 over n is 1/2 -+ z / (2 sqrt(n + z^2)); both sides add as a root sum of squares."""
    z = stats.norm.ppf(0.975)
    half = math.sqrt(2) * z / (2 * math.sqrt(4 + z * z))
    assert newcombe(wilson(0.5, 4), wilson(0.5, 4)) == pytest.approx((0.0, -half, half))


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2"), [(8129, 10000, 8029, 10000), (3, 40, 0, 25), (40, 40, 9, 10)]
)
def test_it_is_statsmodels_interval(k1: int, n1: int, k2: int, n2: int) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb", compare="diff")
    found = newcombe(wilson(k1 / n1, n1), wilson(k2 / n2, n2))
    assert found.low == pytest.approx(low, abs=1e-12)
    assert found.high == pytest.approx(high, abs=1e-12)


@pytest.mark.parametrize(("mine", "theirs", "images"), [(0.80, 0.78, 400), (0.05, 0.02, 1000)])
def test_the_interval_covers_with_the_papers_error_in_it(mine: float, theirs: float, images: int) -> None:
    """Without the paper's own sampling error it would cover about 83 %."""
    rng = np.random.default_rng(0)
    ours, papers = rng.binomial(images, mine, 2000), rng.binomial(images, theirs, 2000)
    found = [
        difference(measured(a / images, images), b / images, images)
        for a, b in zip(ours, papers, strict=True)
    ]
    covered = np.mean([d.low <= 100 * (mine - theirs) <= d.high for d in found])
    assert 0.94 <= covered <= 0.97
    alone = [
        Estimate(*(p - b / images for p in wilson(a / images, images)))
        for a, b in zip(ours, papers, strict=True)
    ]
    assert np.mean([d.low <= mine - theirs <= d.high for d in alone]) < 0.90


def test_the_interval_covers_when_training_varies_too() -> None:
    """Three seeds whose true accuracies differ by 5 points: images alone would cover far too little."""
    rng = np.random.default_rng(1)
    covered, covered_by_images = [], []
    for _ in range(300):
        seeds = 0.6 + 0.05 * rng.standard_normal(3)
        columns = [dict(enumerate((rng.random(2000) < p).astype(float).tolist())) for p in seeds]
        found = over_seeds(columns)
        assert found is not None
        paper = rng.binomial(2000, 0.6) / 2000
        interval = difference(found, paper, 2000)
        covered.append(interval.low <= 0 <= interval.high)
        single = difference(Measured(found.estimate, 2000, found.seed_values[:1]), paper, 2000)
        covered_by_images.append(single.low <= 0 <= single.high)
    assert np.mean(covered) >= 0.94
    assert np.mean(covered_by_images) < 0.80


def test_the_half_width_of_three_seeds_is_students() -> None:
    low, high = stats.t.interval(0.95, 2, loc=0.8, scale=stats.sem([0.78, 0.80, 0.82]))
    assert seed_half_width([0.78, 0.80, 0.82]) == pytest.approx((high - low) / 2)
    assert seed_half_width([0.8]) == 0.0


def test_seeds_widen_as_a_root_sum_of_squares() -> None:
    one = difference(Measured(wilson(0.8, 10000), 10000, (0.8,)), 0.8, 10000)
    three = difference(Measured(wilson(0.8, 10000), 10000, (0.78, 0.8, 0.82)), 0.8, 10000)
    half = 100 * seed_half_width([0.78, 0.8, 0.82])
    assert three.high == pytest.approx(math.hypot(one.high, half))
    assert three.low == pytest.approx(-math.hypot(one.low, half))


def test_a_qte_is_compared_as_a_share_of_its_range() -> None:
    """QTE 4 of 8 against 3.2 of 8 is 50 % against 40 %."""
    assert difference(measured(0.5, 500, unit=8.0), 3.2 / 8, 900) == pytest.approx(
        difference(measured(0.5, 500), 0.4, 900)
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-1.0, 1.5, Verdict.REPRODUCED),
        (-2.0, 2.0, Verdict.REPRODUCED),
        (0.5, 2.1, Verdict.INCONCLUSIVE),
        (-2.1, 1.0, Verdict.INCONCLUSIVE),
        (-5.0, 5.0, Verdict.INCONCLUSIVE),
        (2.0, 4.0, Verdict.INCONCLUSIVE),
        (-4.0, -2.0, Verdict.INCONCLUSIVE),
        (2.01, 4.0, Verdict.NOT_REPRODUCED),
        (-4.0, -2.01, Verdict.NOT_REPRODUCED),
    ],
)
def test_the_three_regions_and_their_ends(low: float, high: float, verdict: Verdict) -> None:
    assert judge(Estimate((low + high) / 2, low, high)) == verdict


def test_full_test_sets_can_reproduce_and_hundreds_of_images_cannot() -> None:
    assert judge(difference(measured(0.8029, 10000), 0.8029, 10000)) == Verdict.REPRODUCED
    assert judge(difference(measured(0.8, 500), 0.8029, 10000)) == Verdict.INCONCLUSIVE
    assert judge(difference(measured(0.6, 500), 0.8029, 10000)) == Verdict.NOT_REPRODUCED
