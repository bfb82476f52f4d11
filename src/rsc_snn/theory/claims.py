"""Theorems 3.2 and 3.3, Proposition 3.4 and what the clamp makes of them: each claim beside its samples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.runs.theory_schema import COVARIANCE
from rsc_snn.theory import covariance
from rsc_snn.theory.comparison import THRESHOLD, Comparison, chance_of_any, compare
from rsc_snn.theory.covariance import Sampled, output_covariance, smoothing_covariance
from rsc_snn.theory.finding import Finding, verdict_of, verdict_of_refutation
from rsc_snn.theory.moments import clamp_bias
from rsc_snn.theory.noises import AbstractNoise, PoissonNoise, SmoothingNoise, UnclampedNoise
from rsc_snn.theory.subjects import CLEAN, Subject

Formula = Callable[[Subject, str], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Tried:
    """A noise on a subject: samples of every case.

    Attributes:
        subject: Layer, pixels and attacks.
        noise: The coding.
        samples: Case -> what was found.
    """

    subject: Subject
    noise: AbstractNoise
    samples: Mapping[str, Sampled]

    @classmethod
    def of(cls, subject: Subject, noise: AbstractNoise, *, num_samples: int, seed: int) -> "Tried":
        """Sample every case."""
        samples = {
            case: subject.sample(noise, case, num_samples=num_samples, seed=seed) for case in subject.cases
        }
        return cls(subject, noise, samples)


def poisson_formula(subject: Subject, case: str) -> tuple[Float[Tensor, "M"], Float[Tensor, "M M"]]:
    """Eq. 12 and Theorem 3.2: W (x + eps), and the covariance as the theorem writes it."""
    weight, x, eps = subject.layer.weight, subject.pixels, subject.change(case)
    mean = subject.layer.outputs((x + eps)[None])[0]
    if case == CLEAN:
        return mean, covariance.poisson_covariance(weight, x)
    return mean, covariance.attacked_poisson_covariance(weight, x, eps)


def smoothing_formula(subject: Subject, case: str) -> tuple[Float[Tensor, "M"], Float[Tensor, "M M"]]:
    """Eq. 12 and Theorem 3.3: W (x + eps) and W diag(s^2) W^T."""
    mean = subject.layer.outputs((subject.pixels + subject.change(case))[None])[0]
    return mean, smoothing_covariance(subject.layer.weight, subject.variance)


def clamped_formula(subject: Subject, case: str) -> tuple[Float[Tensor, "M"], Float[Tensor, "M M"]]:
    """The closed form of the clamped noise, mean and covariance."""
    moments = SmoothingNoise(variance=subject.variance).step_moments(_attacked(subject, case))
    mean = subject.layer.outputs(moments.mean[None])[0]
    return mean, output_covariance(subject.layer.weight, moments.variance)


def poisson_agrees(tried: Tried) -> Finding:
    """Theorem 3.2 beside samples of Poisson coding."""
    title = "Theorem 3.2: Poisson coding, mean W(x + eps) and covariance before and after the attack"
    return _agreement("theorem-3.2", title, tried, poisson_formula)


def unclamped_agrees(tried: Tried) -> Finding:
    """Theorem 3.3 beside samples of the noise without its clamp."""
    title = "Theorem 3.3: noise without the clamp, mean W(x + eps) and covariance W diag(s^2) W^T"
    return _agreement("theorem-3.3", title, tried, smoothing_formula)


def clamped_agrees(tried: Tried) -> Finding:
    """The closed form of RSC with its clamp beside samples of the coding."""
    title = "RSC with its clamp: mean and covariance by the closed form"
    return _agreement("clamped-moments", title, tried, clamped_formula)


def clamp_breaks_theorem(tried: Tried) -> Finding:
    """E[X] = x and Theorem 3.3 beside samples of the coding with its clamp: they should not hold."""
    found, foreseen, shift, details = 0.0, 0.0, 0.0, _Details()
    subject = tried.subject
    for case, sampled in tried.samples.items():
        claimed, truth = smoothing_formula(subject, case), clamped_formula(subject, case)
        found = max(found, *(each.largest for each in details.add(case, sampled, claimed)))
        shift = max(shift, float((sampled.mean - claimed[0]).abs().max()))
        expected = Sampled(*_with_errors(truth, sampled), sampled.num_samples)
        foreseen = max(foreseen, *(each.largest for each in _both(expected, claimed)))
    pixels = torch.cat([_attacked(subject, case) for case in subject.cases])
    ratio = SmoothingNoise(variance=subject.variance).step_moments(pixels).variance / subject.variance
    extremes = {
        "largest_shift": shift,
        "largest_bias": float(clamp_bias(pixels, subject.variance).abs().max()),
        "lowest_variance_ratio": float(ratio.min()),
        "highest_variance_ratio": float(ratio.max()),
        "foreseen": foreseen,
    }
    return _finding(
        "clamp-breaks-theorem-3.3",
        f"With the clamp E[X] = x and covariance W diag(s^2) W^T do not hold (s^2 = {subject.variance:g})",
        subject,
        verdict_of_refutation(found, foreseen),
        found,
        {**details.facts(), **extremes},
        note="pass: the difference is seen. largest_bias: of the mean of a pixel by the closed form, pixel "
        "units; largest_shift: of the mean of an output, as sampled.",
    )


def change_agrees(tried: Tried, formula: Formula, name: str, title: str) -> Finding:
    """The change of the covariance by each attack, beside that of a formula.

    The two covariances come from different random numbers; the error of their difference is the root of the
    sum of squares.
    """
    subject, details = tried.subject, _Details()
    clean = tried.samples[CLEAN]
    before = formula(subject, CLEAN)[1]
    for case in subject.changes:
        after, sampled = formula(subject, case)[1], tried.samples[case]
        difference = sampled.covariance - clean.covariance
        error = (sampled.error**2 + clean.error**2).sqrt()
        facts = {
            "relative_change": float((after - before).norm() / before.norm()),
            "from_zero": compare(difference, torch.zeros_like(difference), error).largest,
        }
        details.add_covariance(case, compare(difference, after - before, error), **facts)
    return _finding(name, title, subject, verdict_of(details.is_met), details.largest, details.facts())


def poisson_changes(tried: Tried) -> Finding:
    """What an attack does to the covariance of Poisson coding."""
    title = "Proposition 3.4: an attack changes Poisson's covariance by W diag(eps (1 - 2x) - eps^2) W^T"
    return change_agrees(tried, poisson_formula, "change-poisson", title)


def unclamped_stays(tried: Tried) -> Finding:
    """Covariance invariance of the noise without its clamp."""
    title = "Proposition 3.4: an attack leaves the covariance of noise without the clamp as it is"
    return change_agrees(tried, smoothing_formula, "change-unclamped", title)


def clamped_changes(tried: Tried) -> Finding:
    """What an attack does to the covariance of RSC with its clamp."""
    title = "RSC with its clamp: an attack changes the covariance, as the closed form says"
    return change_agrees(tried, clamped_formula, "change-clamped", title)


def over_steps(subject: Subject, *, num_samples: int, seed: int) -> list[Finding]:
    """Covariance of the mean over T: 1 / T for Poisson and RSC-II, not for RSC-I."""
    noises: list[AbstractNoise] = [
        PoissonNoise(),
        SmoothingNoise(variance=subject.variance, resample_each_step=True),
        SmoothingNoise(variance=subject.variance),
    ]
    return [_over_steps(subject, noise, num_samples, seed) for noise in noises]


def _over_steps(subject: Subject, noise: AbstractNoise, num_samples: int, seed: int) -> Finding:
    details, points = _Details(), []
    weight, one = subject.layer.weight, noise.step_moments(subject.pixels)
    trace = output_covariance(weight, one.variance).trace()
    for num_steps in subject.steps:
        sampled = subject.sample(noise, num_steps=num_steps, num_samples=num_samples, seed=seed)
        moments = noise.moments(subject.pixels, num_steps)
        mean = subject.layer.outputs(moments.mean[None])[0]
        details.add(f"T = {num_steps}", sampled, (mean, output_covariance(weight, moments.variance)))
        points.append([float(num_steps), float(sampled.covariance.trace() / trace), None, None])
    law = "shrinks by 1 / T" if noise.is_fresh else "does not shrink with T"
    kind = noise.name.split(" ")[0].lower()
    return _finding(
        f"over-steps-{kind}",
        f"{noise.name}: the covariance of the mean over T steps {law}",
        subject,
        verdict_of(details.is_met),
        details.largest,
        details.facts(),
        axes=("T", "trace of the covariance, of that of one step"),
        curve={noise.name: points},
    )


class _Details:
    """The comparisons behind a finding."""

    def __init__(self) -> None:
        self._cases: list[dict[str, Any]] = []
        self._all: list[Comparison] = []

    def add(self, case: str, sampled: Sampled, expected: tuple[Tensor, Tensor]) -> list[Comparison]:
        """Compare mean and covariance."""
        mean, second = _both(sampled, expected)
        self._all.append(mean)
        self.add_covariance(case, second, mean_largest=mean.largest, mean_entries=mean.num_entries)
        return [mean, second]

    def add_covariance(self, case: str, comparison: Comparison, **facts: Any) -> None:
        """Count in a comparison of covariances."""
        self._all.append(comparison)
        shown = {
            "case": case,
            "largest": comparison.largest,
            "place": list(comparison.place),
            "found": comparison.found,
            "expected": comparison.expected,
            "error": comparison.error,
            "entries": comparison.num_entries,
        }
        self._cases.append({**shown, **facts})

    @property
    def is_met(self) -> bool:
        return all(each.is_met for each in self._all)

    @property
    def largest(self) -> float:
        return max(each.largest for each in self._all)

    def facts(self) -> dict[str, Any]:
        num_entries = sum(each.num_entries for each in self._all)
        return {"cases": self._cases, "entries": num_entries, "chance": chance_of_any(num_entries)}


def _agreement(name: str, title: str, tried: Tried, formula: Formula) -> Finding:
    details = _Details()
    for case, sampled in tried.samples.items():
        details.add(case, sampled, formula(tried.subject, case))
    facts = details.facts()
    return _finding(name, title, tried.subject, verdict_of(details.is_met), details.largest, facts)


def _both(sampled: Sampled, expected: tuple[Tensor, Tensor]) -> tuple[Comparison, Comparison]:
    mean = compare(sampled.mean, expected[0], sampled.mean_error)
    return mean, compare(sampled.covariance, expected[1], sampled.error)


def _with_errors(truth: tuple[Tensor, Tensor], sampled: Sampled) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return truth[0], sampled.mean_error, truth[1], sampled.error


def _attacked(subject: Subject, case: str) -> Tensor:
    return (subject.pixels + subject.change(case)).clamp(0, 1)


def _finding(
    name: str,
    title: str,
    subject: Subject,
    verdict: str,
    value: float,
    details: Mapping[str, Any],
    **more: Any,
) -> Finding:
    return Finding(
        name=f"{name}: {subject.layer.name}",
        part=COVARIANCE,
        title=title,
        subject=subject.layer.name,
        verdict=verdict,
        value=value,
        threshold=THRESHOLD,
        details={**details, "variance": subject.variance},
        **more,
    )


CLAIMS: Mapping[str, tuple[Callable[[Subject], AbstractNoise], tuple[Callable[[Tried], Finding], ...]]] = {
    "poisson": (lambda subject: PoissonNoise(), (poisson_agrees, poisson_changes)),
    "unclamped": (
        lambda subject: UnclampedNoise(variance=subject.variance),
        (unclamped_agrees, unclamped_stays),
    ),
    "clamped": (
        lambda subject: SmoothingNoise(variance=subject.variance),
        (clamped_agrees, clamp_breaks_theorem, clamped_changes),
    ),
}


def findings_of(subject: Subject, *, num_samples: int, seed: int) -> list[Finding]:
    """Try every claim about covariances on a subject."""
    found: list[Finding] = []
    for noise_for, claims in CLAIMS.values():
        tried = Tried.of(subject, noise_for(subject), num_samples=num_samples, seed=seed)
        found += [claim(tried) for claim in claims]
    if subject.steps:
        found += over_steps(subject, num_samples=num_samples, seed=seed)
    return found
