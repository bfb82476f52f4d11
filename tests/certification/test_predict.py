"""The prediction of the majority vote, and its abstention."""

import pytest
import torch
from scipy import stats

import rsc_snn as rs
from rsc_snn.certification.predict import majority_of
from rsc_snn.errors import InputError
from tests.certification.bases import Steps, Unclamped
from tests.helpers import seeded, small_classifier


def test_it_abstains_where_the_two_sided_test_does_not_reject() -> None:
    """At alpha 0.001 of 20 votes for two classes: 18 give p = 4.0e-4, 17 give 2.6e-3; others do not count."""
    assert 2 * stats.binom.sf(17, 20, 0.5) < 0.001 < 2 * stats.binom.sf(16, 20, 0.5)
    assert majority_of([18, 2], 0.001) == 0
    assert majority_of([17, 3], 0.001) is None
    assert majority_of([1, 2, 18], 0.001) == 2
    assert majority_of([0, 0, 30], 0.001) == 2
    assert majority_of([5, 5, 5], 0.001) is None


def test_it_returns_another_class_than_the_most_probable_as_rarely_as_promised() -> None:
    """Chances 0.52 and 0.48, 400 repeats of 200 draws at alpha 0.2: wrong in at most a fifth, not never."""
    coding = Unclamped(std=0.25)
    classifier = rs.wrap(Steps([0.5 - coding.std * float(stats.norm.ppf(0.52))]), coding=coding).eval()
    images = torch.full((400, 1, 1, 1), 0.5)
    found = rs.predict(classifier, images, num_draws=200, alpha=0.2, rows_per_pass=10_000)
    wrong = sum(each.predicted == 0 for each in found)
    assert 0 < wrong <= stats.binom.ppf(0.9999, 400, 0.2)
    assert sum(each.predicted == 1 for each in found) > wrong
    assert all(sum(each.counts) == 200 for each in found)


def test_it_is_keyed_by_image_and_refuses_what_certify_refuses() -> None:
    images = torch.rand(3, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    noisy = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).double()
    found = rs.predict(noisy, images, num_draws=30)
    assert [each.index for each in found] == [0, 1, 2]
    (alone,) = rs.predict(noisy, images[1:2], num_draws=30, indices=[1])
    assert alone == found[1]
    assert len({tuple(each.counts) for each in rs.predict(noisy, images[:1].repeat(3, 1, 1, 1))}) > 1
    for bad, message in (
        ({"num_draws": 0}, "num_draws"),
        ({"alpha": 1.5}, "alpha"),
        ({"indices": [1]}, "indices"),
        ({"rows_per_pass": -1}, "rows_per_pass"),
    ):
        with pytest.raises(InputError, match=message):
            rs.predict(noisy, images, **bad)
    with pytest.raises(InputError, match="needs a coding with noise"):
        rs.predict(small_classifier(rs.codings.Direct()).double(), images)
    with pytest.raises(ValueError, match="eval"):
        rs.predict(noisy.train(), images)
