"""The audit: all checks on one network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.attacks import Linf, Transfer
from rsc_snn.auditing.budget import budget_called
from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks import AbstractCheck, all_checks
from rsc_snn.auditing.finding import Answer, worst_of
from rsc_snn.checks import require_counts, require_images, require_indices, require_labels
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.evaluation.evaluate import require_eval_mode
from rsc_snn.runs.files import Row

Progress = Callable[[AbstractCheck, Answer | None], None]


@dataclass(frozen=True)
class Audit:
    """What the checks found.

    Attributes:
        answers: One per check, the five signs first.
        settings: What all of them share: budget, seed, eps, images, draws, whether the network is random, and
            the accuracy on unchanged images: where that is low, checks pass for want of anything to break.
    """

    answers: list[Answer]
    settings: Row

    @property
    def rows(self) -> list[Row]:
        """A row per check, as in audit.jsonl."""
        return [{**answer.row(), **self.settings} for answer in self.answers]

    @property
    def worst(self) -> str:
        """The worst verdict: pass, warn or fail."""
        return worst_of([answer.finding.verdict for answer in self.answers])

    @property
    def by_name(self) -> dict[str, Answer]:
        """Each answer by the name of its check."""
        return {answer.name: answer for answer in self.answers}


def audit(
    classifier: AbstractClassifier,
    images: Float[Tensor, "N C H W"],
    labels: Int64[Tensor, "N"],
    *,
    eps: float = 8 / 255,
    sources: Sequence[AbstractClassifier] = (),
    num_draws: int = 20,
    budget: str = "full",
    seed: int = 0,
    indices: Sequence[int] | Tensor | None = None,
    checks: Sequence[AbstractCheck] | None = None,
    on_check: Progress = lambda check, answer: None,
) -> Audit:
    """Ask whether a network's robustness is real, or whether its gradients are of no use to an attacker.

    A pass of every check proves nothing; a fail means that accuracies under gradient attacks are too high.

    Args:
        classifier: In eval mode; a ``SpikingClassifier`` or ``rs.wrap(module)``.
        images: Pixels in [0, 1].
        labels: Class of each image.
        eps: Strength at which the checks attack, l_inf, pixel units, in (0, 1].
        sources: Other classifiers of the same classes, in eval mode, for transfer.
        num_draws: Scoring draws; a deterministic classifier gets 1.
        budget: "full" or "quick": 100 or 20 steps, and so on.
        seed: Of all noise.
        indices: Index of each image in its data set, which keys its noise; None is 0 ... N - 1.
        checks: Which checks; None is all of them.
        on_check: Called with each check before it is made (and None), and after it (and its answer).

    Raises:
        InputError (a ValueError): training mode, images, labels, sources or eps that do not fit, an unknown
            budget.
    """
    case = make_case(
        classifier,
        images,
        labels,
        eps=eps,
        sources=sources,
        num_draws=num_draws,
        budget=budget,
        seed=seed,
        indices=indices,
    )
    return run_checks(case, checks=checks, on_check=on_check)


def make_case(
    classifier: AbstractClassifier,
    images: Float[Tensor, "N C H W"],
    labels: Int64[Tensor, "N"],
    *,
    eps: float,
    sources: Sequence[AbstractClassifier],
    num_draws: int,
    budget: str,
    seed: int,
    indices: Sequence[int] | Tensor | None,
) -> Case:
    """Check what ``audit`` was given, and put it together."""
    spent = budget_called(budget)
    for network in (classifier, *sources):
        require_eval_mode(network)
    require_images(images)
    require_labels(labels, num_images=len(images), num_classes=classifier.num_classes)
    require_counts(num_draws=num_draws)
    Linf().require_eps(eps)
    if eps == 0:
        raise InputError("eps must be above 0, such as 8/255: without an attack there is nothing to audit")
    if sources:
        Transfer(sources=tuple(sources)).require_sources(classifier, images)
    keys = require_indices(indices, num_images=len(images))
    return Case(
        classifier,
        images,
        labels,
        indices=keys,
        sources=sources,
        eps=eps,
        num_draws=num_draws,
        seed=seed,
        budget=spent,
    )


def run_checks(
    case: Case,
    *,
    checks: Sequence[AbstractCheck] | None = None,
    on_check: Progress = lambda check, answer: None,
) -> Audit:
    """Make some checks, or all, in order."""
    answers = []
    for check in all_checks() if checks is None else checks:
        on_check(check, None)
        answers.append(check.answer(case))
        on_check(check, answers[-1])
    settings: Row = {
        "budget": case.budget.name,
        "seed": case.seed,
        "eps": case.eps,
        "num_images": len(case.images),
        "num_draws": case.num_draws,
        "is_random": case.is_random,
        "clean_accuracy": _clean_accuracy(case),
    }
    return Audit(answers, settings)


def _clean_accuracy(case: Case) -> float | None:
    """None where the answers cannot be scored."""
    try:
        return float(case.clean.mean())
    except InputError:
        return None
