"""Certificates of base classifiers whose votes are known, and what is refused."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.certification.batch import looks
from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.certificate import Certificate
from rsc_snn.certification.votes import Voter
from rsc_snn.errors import InputError, WeakEvaluation
from tests.certification.bases import Places, Steps, Unclamped
from tests.helpers import seeded, small_classifier

NOISY = rs.codings.RandomizedSmoothing(variance=0.1)
CHANCES = (0.8, 0.9, 0.95, 0.99)
NUM_REPEATS, NUM_DRAWS = 200, 100_000


@pytest.mark.slow
def test_radii_of_a_linear_base_are_those_of_its_margin() -> None:
    """sigma * Phi^-1(p_A) is the distance to the boundary; each of four pixels of 50 images is a repeat.

    An answer tells where all four stand, so that one sampling serves all repeats. Votes for "above the
    threshold" are summed over what lies above it, and so serve all four p_A.
    """
    coding, at = Unclamped(std=0.5), 0.5
    margins = [coding.std * stats.norm.ppf(chance) for chance in CHANCES]
    classifier = rs.wrap(Places([at - margin for margin in margins]), coding=coding).eval()
    num_places = len(CHANCES) + 1
    voter = Voter(classifier, num_places**4, seed=0, rows_per_pass=20_000)
    images, indices = torch.full((NUM_REPEATS // 4, 1, 2, 2), at), torch.arange(NUM_REPEATS // 4)
    counts = voter.count(images, indices, "estimate", first=0, num_draws=NUM_DRAWS)
    counts = counts.unflatten(1, (num_places,) * 4)
    each = torch.stack([counts.sum(tuple({1, 2, 3, 4} - {axis})) for axis in (1, 2, 3, 4)])
    places = each.reshape(NUM_REPEATS, num_places).numpy()
    largest_first = sorted(zip(CHANCES, margins, strict=True), reverse=True)
    for rank, (chance, margin) in enumerate(largest_first):
        votes = places[:, rank + 1 :].sum(1)
        lower = lower_bound(votes, NUM_DRAWS, 0.001)
        radii = [coding.guarantee(1, 4).radius(float(bound)) for bound in lower]
        assert np.mean(radii) == pytest.approx(margin, rel=0.03)
        assert int((lower > chance).sum()) <= stats.binom.ppf(0.9999, NUM_REPEATS, 0.001)
        spread = math.sqrt(chance * (1 - chance) / NUM_DRAWS / NUM_REPEATS)
        assert votes.mean() / NUM_DRAWS == pytest.approx(chance, abs=5 * spread)


def certified(num_draws: int = 1000, **options: object) -> list[Certificate]:
    images = torch.tensor([0.2, 0.5, 0.9]).reshape(3, 1, 1, 1)
    classifier = rs.wrap(Steps([0.4]), coding=Unclamped(std=0.25)).eval()
    given = {"num_select": 50, "num_estimate": num_draws, **options}
    return rs.certify(classifier, images, torch.tensor([0, 1, 0]), **given)  # type: ignore[arg-type]


def test_a_row_holds_class_radius_and_votes() -> None:
    found = certified()
    assert [row.predicted for row in found] == [0, 1, 1]
    assert [row.label for row in found] == [0, 1, 0], "a wrong class is certified as what it is"
    assert [row.index for row in found] == [0, 1, 2]
    assert all(row.norm == "l2" and row.num_draws == sum(row.counts) == 1000 for row in found)
    for row in found:
        lower = float(lower_bound(row.counts[row.predicted], 1000, 0.001))  # type: ignore[index]
        assert row.radius == pytest.approx(0.25 * stats.norm.ppf(lower))
    distances = (0.2, 0.1, 0.5)
    assert all(row.radius <= far for row, far in zip(found, distances, strict=True))


def test_a_tie_abstains() -> None:
    images = torch.full((1, 1, 1, 1), 0.4)
    classifier = rs.wrap(Steps([0.4]), coding=Unclamped(std=0.25)).eval()
    (row,) = rs.certify(classifier, images, torch.tensor([1]), num_estimate=1000)
    assert (row.predicted, row.radius) == (None, 0.0)


def test_counts_depend_on_neither_company_nor_passes_nor_order() -> None:
    images = torch.rand(9, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    labels = torch.zeros(9, dtype=torch.int64)
    classifier = small_classifier(NOISY).double()
    options = {"num_select": 7, "num_estimate": 40, "alpha": 0.01}
    together = rs.certify(classifier, images, labels, **options)  # type: ignore[arg-type]
    for passes in (1, 13, 1000):
        again = rs.certify(classifier, images, labels, rows_per_pass=passes, **options)  # type: ignore[arg-type]
        assert again == together
    order = torch.tensor([5, 2, 8])
    some = rs.certify(classifier, images[order], labels[order], indices=order, **options)  # type: ignore[arg-type]
    assert some == [together[i] for i in order.tolist()]
    other = rs.certify(classifier, images, labels, seed=1, **options)  # type: ignore[arg-type]
    assert [row.counts for row in other] != [row.counts for row in together]


def test_draws_of_a_decision_depend_on_neither_company_nor_passes() -> None:
    """When one looks is settled by the number of draws alone."""
    images = torch.rand(9, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    labels = torch.zeros(9, dtype=torch.int64)
    classifier = small_classifier(NOISY).double()
    options = {"num_select": 20, "num_estimate": 3000, "radius": 0.05}
    together = rs.certify(classifier, images, labels, **options)  # type: ignore[arg-type]
    assert len({row.num_draws for row in together}) > 2
    order = torch.tensor([5, 2])
    for passes in (16, 1000):
        some = rs.certify(
            classifier,
            images[order],
            labels[order],
            indices=order,
            rows_per_pass=passes,
            **options,  # type: ignore[arg-type]
        )
        assert some == [together[i] for i in order.tolist()]


def test_looks_grow_by_an_eighth_and_end_at_the_last_draw() -> None:
    found = list(looks(5000))
    assert found[:4] == [32, 64, 96, 128]
    assert found[-1] == 5000
    steps = np.diff(found)
    assert all(max(32, before // 8) == step for before, step in zip(found[:-2], steps[:-1], strict=True))
    assert list(looks(20)) == [20]


def test_selection_and_estimation_have_draws_of_their_own() -> None:
    classifier = small_classifier(NOISY)
    voter = Voter(classifier, 10, seed=0, rows_per_pass=64)
    images = torch.rand(2, 1, 8, 8, generator=seeded(0))
    select = voter.count(images, torch.arange(2), "select", first=0, num_draws=60)
    estimate = voter.count(images, torch.arange(2), "estimate", first=0, num_draws=60)
    later = voter.count(images, torch.arange(2), "estimate", first=60, num_draws=60)
    assert not torch.equal(select, estimate)
    both = voter.count(images, torch.arange(2), "estimate", first=0, num_draws=120)
    assert torch.equal(estimate + later, both)


def test_a_radius_is_decided_with_few_draws_and_stays_proven() -> None:
    found = certified(100_000, radius=0.08)
    assert [row.predicted for row in found] == [0, 1, 1]
    assert all(row.radius >= 0.08 for row in found)
    assert max(row.num_draws for row in found) < 20_000
    far = certified(100_000, radius=0.3)
    assert [row.radius >= 0.3 for row in far] == [False, False, True]
    assert max(row.num_draws for row in far) < 20_000
    exhausted = certified(60, radius=0.1)
    assert exhausted[1].num_draws == 60
    assert exhausted[1].radius < 0.1


class NoiseOfItsOwn(nn.Module):
    def forward(self, current: Tensor) -> Tensor:
        return current.flatten(2) + torch.randn(())


class SharedStatistics(nn.Module):
    """Batch normalisation without running statistics, which a pass shares in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(64, track_running_stats=False)

    def forward(self, current: Tensor) -> Tensor:
        return self.norm(current.mean(0).flatten(1))[None]


BAD = {
    "alpha 0": ({"alpha": 0.0}, "alpha"),
    "alpha 1": ({"alpha": 1.0}, "alpha"),
    "few draws": ({"num_estimate": 9}, "take at least 10"),
    "few draws for the radius": ({"num_estimate": 137, "radius": 0.5}, "take at least 138"),
    "few draws for a tiny radius": ({"num_estimate": 11, "radius": 1e-6}, "take at least 12"),
    "a radius beyond all draws": ({"num_estimate": 1000, "radius": 5.0}, "1000 draws prove at most 0.7"),
    "no rows": ({"rows_per_pass": 0}, "rows_per_pass"),
    "no draws": ({"num_estimate": 0}, "num_estimate"),
    "no selection": ({"num_select": 0}, "num_select"),
    "negative radius": ({"radius": -1.0}, "radius"),
    "indices": ({"indices": [0, 0]}, "indices"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_are_refused(name: str) -> None:
    options, message = BAD[name]
    images = torch.rand(2, 1, 8, 8)
    with pytest.raises(InputError, match=message):
        rs.certify(small_classifier(NOISY), images, torch.tensor([0, 1]), **options)  # type: ignore[arg-type]


def test_bad_classifiers_and_labels_are_refused() -> None:
    images, labels = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
    for coding in (rs.codings.Direct(), rs.codings.RandomizedSmoothing(variance=0.0)):
        with pytest.raises(InputError, match="needs a coding with noise"):
            rs.certify(small_classifier(coding), images, labels)
    with pytest.raises(InputError, match="needs a coding with noise"):
        rs.certify(rs.wrap(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).eval()), images, labels)
    with pytest.raises(ValueError, match="eval"):
        rs.certify(small_classifier(NOISY).train(), images, labels)
    with pytest.raises(InputError, match="label"):
        rs.certify(small_classifier(NOISY), images, torch.tensor([0, 10]))
    with pytest.raises(InputError, match="random numbers besides its coding"):
        rs.certify(rs.wrap(NoiseOfItsOwn().eval(), coding=NOISY), images, labels)
    with pytest.raises(InputError, match="beside other rows"), pytest.warns(WeakEvaluation):
        rs.certify(rs.wrap(SharedStatistics().eval(), coding=NOISY), images, labels)
    broken = small_classifier(NOISY)
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(torch.nan)
    with pytest.raises(InputError, match="not finite"):
        rs.certify(broken, images, labels, num_estimate=20)


def test_poisson_is_certified_in_l1_with_the_number_of_steps() -> None:
    images = torch.tensor([0.02]).reshape(1, 1, 1, 1)
    classifier = rs.wrap(Steps([0.5]), coding=rs.codings.Poisson(), num_steps=2).eval()
    (row,) = rs.certify(classifier, images, torch.tensor([0]), num_estimate=2000)
    assert (row.predicted, row.norm) == (0, "l1")
    lower = float(lower_bound(row.counts[0], 2000, 0.001))
    assert row.radius == pytest.approx((lower - 0.5) / 2 - 2**-24, abs=1e-12)
