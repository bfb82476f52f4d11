"""Certificates of base classifiers whose votes are known, and what is refused."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.certification.batch import looks
from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.certificate import Certificate
from rsc_snn.certification.sequence import is_proven
from rsc_snn.certification.votes import Voter
from rsc_snn.errors import InputError, WeakEvaluation
from tests.certification.bases import Steps, Unclamped
from tests.certification.linear_base import repeated
from tests.helpers import seeded, small_classifier

NOISY = rs.codings.RandomizedSmoothing(variance=0.1)


@pytest.mark.slow
def test_radii_of_a_linear_base_are_those_of_its_margin() -> None:
    """``linear_base`` takes 200 repeats of 100,000 draws."""
    for margin in repeated(num_repeats=40, num_draws=50_000):
        assert margin.mean_radius == pytest.approx(margin.distance, rel=0.03)
        assert margin.num_too_large <= margin.most_too_large
        assert margin.share == pytest.approx(margin.chance, abs=margin.tolerance)


@pytest.mark.parametrize(("num_select", "chance_of_selection"), [(100, 1.0), (1, 0.9)])
def test_radii_of_a_linear_base_through_the_public_call(num_select: int, chance_of_selection: float) -> None:
    """One image under 60 indices, p_A = 0.9: radii against their exact expectation, by scipy.

    A choice by 100 draws is always right; one by a single draw is wrong in a tenth of the repeats, whatever
    the other draws say, and then nothing is certified.
    """
    chance, num_draws, num_repeats, alpha = 0.9, 2000, 60, 0.001
    coding = Unclamped(std=0.5)
    margin = coding.std * stats.norm.ppf(chance)
    classifier = rs.wrap(Steps([2.0 - margin]), coding=coding).eval()
    images, labels = torch.full((num_repeats, 1, 4, 4), 0.5), torch.ones(num_repeats, dtype=torch.int64)
    options = {"num_select": num_select, "num_estimate": num_draws, "alpha": alpha, "rows_per_pass": 16_000}
    found = rs.certify(classifier, images, labels, **options)  # type: ignore[arg-type]
    radii = np.array([row.radius for row in found])

    votes = np.arange(1, num_draws + 1)
    lower = stats.beta.ppf(alpha, votes, num_draws - votes + 1)
    possible = np.where(lower > 0.5, coding.std * stats.norm.ppf(np.maximum(lower, 0.5)), 0.0)
    masses = chance_of_selection * stats.binom.pmf(votes, num_draws, chance)
    expected = float(masses @ possible)
    spread = math.sqrt(float(masses @ possible**2) - expected**2)
    assert radii.mean() == pytest.approx(expected, abs=5 * spread / math.sqrt(num_repeats))
    assert [row.predicted is None for row in found] == (radii == 0).tolist()
    wrong = stats.binom.ppf([1e-4, 1 - 1e-4], num_repeats, 1 - chance_of_selection)
    assert wrong[0] <= (radii == 0).sum() <= wrong[1]

    assert (radii > margin).sum() <= stats.binom.ppf(0.9999, num_repeats, alpha)
    shares = np.array([row.counts[1] for row in found]) / num_draws
    assert (coding.std * stats.norm.ppf(shares) > margin).mean() > 0.25, "the share of votes is no bound"


def test_a_class_is_not_judged_by_the_draws_that_chose_it() -> None:
    """Two classes of probability 1/2 each: how many of 120 indices get a radius, against the binomial.

    Were the class with more of the estimation draws the chosen one, it would be twice as many.
    """
    num_draws, num_repeats, alpha = 100, 120, 0.4
    classifier = rs.wrap(Steps([0.5]), coding=Unclamped(std=0.5)).eval()
    images, labels = torch.full((num_repeats, 1, 1, 1), 0.5), torch.zeros(num_repeats, dtype=torch.int64)
    found = rs.certify(classifier, images, labels, num_select=num_draws, num_estimate=num_draws, alpha=alpha)
    most = stats.binom.ppf(0.9999, num_repeats, alpha)
    assert 0 < sum(row.radius > 0 for row in found) <= most
    counts = np.array([row.counts for row in found])
    assert (lower_bound(counts.max(1), num_draws, alpha) > 0.5).sum() > most


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
    options = {"num_select": 5, "num_estimate": 15, "alpha": 0.01}
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
    options = {"num_select": 20, "num_estimate": 1000, "radius": 0.05}
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
    given_up = certified(60, radius=0.1)[1]
    assert (given_up.num_draws, given_up.radius, given_up.counts[1]) == (32, 0.0, 18)
    needed = Unclamped(std=0.25).guarantee(1, 1).chance_for(0.1)
    assert not is_proven(18 + 28, 60, needed, 0.001), "not even if all other draws agreed"


class NoiseOfItsOwn(nn.Module):
    def forward(self, current: Tensor) -> Tensor:
        return current.flatten(2) + torch.randn(())


class SharedStatistics(nn.Module):
    """Batch normalisation without running statistics, which a pass shares in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(64, track_running_stats=False)

    def forward(self, current: Tensor) -> Tensor:
        normed: Tensor = self.norm(current.mean(0).flatten(1))
        return normed[None]


class Mixed(nn.Module):
    """Logits of a row that depend on other rows."""

    def __init__(self, mix: Callable[[Tensor], Tensor]):
        super().__init__()
        self.mix = mix

    def forward(self, current: Tensor) -> Tensor:
        return self.mix(current.flatten(2)[..., :10])


MIXTURES: dict[str, Callable[[Tensor], Tensor]] = {
    "the first for all": lambda logits: logits + logits[:, :1],
    "the one before": lambda logits: logits + logits.roll(1, 1),
    "the partner": lambda logits: logits[:, torch.arange(logits.shape[1]) ^ 1],
}

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
    with pytest.raises(InputError, match="a row alone"), pytest.warns(WeakEvaluation):
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
    assert row.radius == pytest.approx((lower - 0.5) / 2 - 2.0**-24, rel=1e-12)


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")
def test_rows_that_look_at_other_rows_are_refused(name: str) -> None:
    classifier = rs.wrap(Mixed(MIXTURES[name]).eval(), coding=NOISY)
    with pytest.raises(InputError, match="its votes"):
        rs.certify(classifier, torch.rand(2, 1, 8, 8), torch.tensor([0, 1]))
