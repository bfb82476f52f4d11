"""Theorems 3.2 and 3.3 on the codings themselves, and mistakes that the same checks must catch."""

import dataclasses
import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rsc_snn.rng import Randomness
from rsc_snn.theory import claims, covariance
from rsc_snn.theory.claims import Tried
from rsc_snn.theory.covariance import output_covariance
from rsc_snn.theory.finding import Finding, verdict_of_refutation
from rsc_snn.theory.noises import AbstractNoise, PoissonNoise, SmoothingNoise, UnclampedNoise
from rsc_snn.theory.subjects import CLEAN, Subject, made_up_subjects

NUM_SAMPLES = 30_000
SINGLE, RANDOM, GREY, WIDE = range(4)
NOISES: dict[str, AbstractNoise] = {
    "poisson": PoissonNoise(),
    "unclamped": UnclampedNoise(variance=0.1),
    "clamped": SmoothingNoise(variance=0.1),
}


@functools.cache
def subjects() -> list[Subject]:
    return made_up_subjects(0)


@functools.cache
def tried(which: int, noise: str) -> Tried:
    return Tried.of(subjects()[which], NOISES[noise], num_samples=NUM_SAMPLES, seed=1)


def test_subjects_stay_in_range_and_reach_the_edges() -> None:
    for subject in subjects():
        assert {0.0, 0.5, 1.0} <= set(subject.patch.flatten().tolist())
        for case in subject.cases:
            attacked = subject.pixels + subject.change(case)
            assert 0 <= float(attacked.min()) <= float(attacked.max()) <= 1
        assert 0.24 < max(float(change.abs().max()) for change in subject.changes.values()) <= 0.25


@pytest.mark.parametrize("which", [SINGLE, RANDOM, GREY, WIDE])
@pytest.mark.parametrize(
    ("claim", "noise"),
    [
        (claims.poisson_agrees, "poisson"),
        (claims.poisson_changes, "poisson"),
        (claims.unclamped_agrees, "unclamped"),
        (claims.unclamped_stays, "unclamped"),
        (claims.clamped_agrees, "clamped"),
        (claims.clamped_changes, "clamped"),
        (claims.clamp_breaks_theorem, "clamped"),
    ],
)
def test_claims_hold(which: int, claim: Callable[[Tried], Finding], noise: str) -> None:
    finding = claim(tried(which, noise))
    assert finding.verdict == "pass", finding
    assert {case["case"] for case in finding.details["cases"]} >= set(subjects()[which].changes)


@pytest.mark.parametrize(
    ("sign", "square"), [(-1, -1), (1, 1), (1, 0), (0, -1)], ids=["-eps", "+eps^2", "no eps^2", "no eps"]
)
@pytest.mark.parametrize("which", [SINGLE, RANDOM, GREY, WIDE])
def test_a_planted_sign_error_is_caught(
    which: int, sign: int, square: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(weight: Tensor, pixels: Tensor, change: Tensor) -> Tensor:
        variance = pixels * (1 - pixels) + sign * change * (1 - 2 * pixels) + square * change**2
        return output_covariance(weight, variance)

    assert claims.poisson_agrees(tried(which, "poisson")).verdict == "pass"
    monkeypatch.setattr(covariance, "attacked_poisson_covariance", wrong)
    assert claims.poisson_agrees(tried(which, "poisson")).verdict == "fail"
    assert claims.poisson_changes(tried(which, "poisson")).verdict == "fail"


def test_the_attacked_formula_is_that_of_the_attacked_pixels() -> None:
    """x (1 - x) at x + eps, multiplied out."""
    subject = subjects()[RANDOM]
    for case in subject.changes:
        x, eps, weight = subject.pixels, subject.change(case), subject.layer.weight
        there = covariance.poisson_covariance(weight, x + eps)
        torch.testing.assert_close(
            covariance.attacked_poisson_covariance(weight, x, eps), there, rtol=1e-10, atol=1e-12
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Darker(PoissonNoise):
    """Fires too rarely, by 1 %."""

    def encode(self, image: Tensor, num_steps: int, *, generator: Randomness = None) -> Tensor:
        return super().encode(0.99 * image, num_steps, generator=generator)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shared(PoissonNoise):
    """All pixels take the random number of the first."""

    def encode(self, image: Tensor, num_steps: int, *, generator: Randomness = None) -> Tensor:
        from rsc_snn.rng import uniform_like

        chance = uniform_like(image, num_steps, generator)[:, :, :1, :1, :1]
        return (chance < image).to(image.dtype)


@pytest.mark.parametrize("noise", [Darker(), Shared()], ids=["darker", "shared"])
def test_a_coding_that_is_not_poisson_is_caught(noise: AbstractNoise) -> None:
    found = Tried.of(subjects()[SINGLE], noise, num_samples=NUM_SAMPLES, seed=0)
    assert claims.poisson_agrees(found).verdict == "fail"


def test_with_the_clamp_the_mean_is_not_the_pixel() -> None:
    """A black pixel gets s h(0), a white one loses as much; the sample shows it without the formula."""
    subject, found = subjects()[SINGLE], tried(SINGLE, "clamped").samples[CLEAN]
    bias = (found.mean - subject.pixels) / found.mean_error
    assert float(bias.abs().max()) > 100
    finding = claims.clamp_breaks_theorem(tried(SINGLE, "clamped"))
    assert finding.value is not None
    assert finding.value > 100
    assert finding.details["largest_bias"] == pytest.approx(0.126, abs=1e-3)
    assert finding.details["largest_shift"] == pytest.approx(0.126, abs=5e-3)
    assert finding.details["lowest_variance_ratio"] == pytest.approx(0.34, abs=2e-3)
    assert claims.unclamped_agrees(tried(SINGLE, "clamped")).verdict == "fail"


def test_without_the_clamp_the_refutation_fails() -> None:
    """The check that Theorem 3.3 does not hold must not pass where it does."""
    assert claims.clamp_breaks_theorem(tried(SINGLE, "unclamped")).verdict == "fail"


def test_refutations_need_a_difference_that_can_be_seen() -> None:
    assert verdict_of_refutation(6.0, 3.0) == "pass"
    assert verdict_of_refutation(3.0, 8.0) == "info"
    assert verdict_of_refutation(3.0, 11.0) == "fail"


@dataclasses.dataclass(frozen=True, kw_only=True)
class WrongLaw(SmoothingNoise):
    """RSC-I that claims fresh noise, or RSC-II that denies it."""

    @property
    def is_fresh(self) -> bool:
        return not self.resample_each_step


def test_covariance_shrinks_with_steps_for_fresh_noise_only() -> None:
    subject = subjects()[RANDOM]
    found = claims.over_steps(subject, num_samples=10_000, seed=2)
    assert [finding.verdict for finding in found] == ["pass"] * 3
    last = [finding.curve[name][-1][1] for finding in found for name in finding.curve]
    assert last == pytest.approx([1 / 8, 1 / 8, 1.0], rel=0.04)
    for fresh in (False, True):
        wrong = WrongLaw(variance=0.1, resample_each_step=fresh)
        assert claims._over_steps(subject, wrong, 2000, 0).verdict == "fail"
