"""Attack, judge, score: from a classifier and images to rows and accuracies."""

import warnings
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.checks import require_counts, require_images, require_indices, require_labels
from rsc_snn.classifier import AbstractClassifier, require_classifier
from rsc_snn.errors import InputError, WeakEvaluation
from rsc_snn.evaluation.batch import Batch, Judge, padded_batch
from rsc_snn.evaluation.flags import BLIND, SHORT, UNCHANGED
from rsc_snn.evaluation.lists import Judged, judge_list, keys_of_list
from rsc_snn.evaluation.plan import BATCH_SIZE, Attacks, Plan, make_plan, require_sources
from rsc_snn.evaluation.sizing import measured_rows
from rsc_snn.evaluation.summary import WORST, Summary, group, summarise, why_unreliable, worst_of_lists
from rsc_snn.gradients.parts import limited_rows
from rsc_snn.runs.files import Row

_WEAK_SHARE = 0.01
_REASONS = {
    BLIND: "had a zero gradient at every step",
    UNCHANGED: "did not change the image",
    SHORT: "cannot reach the edge of its ball (raise its steps or step size)",
}


@dataclass(frozen=True)
class Result:
    """What an evaluation found.

    Attributes:
        rows: A row per entry and image, and one per list (norm, eps) and image with attack "worst".
        summary: Accuracies; ``robust`` and ``vote`` are the judge's worst case over everything.
        per_attack: A summary per entry and eps, in order.
    """

    rows: list[Row]
    summary: Summary
    per_attack: list[Summary]


def evaluate(
    classifier: AbstractClassifier,
    images: Float[Tensor, "N C H W"],
    labels: Int64[Tensor, "N"],
    *,
    attacks: Attacks,
    num_draws: int = 20,
    seed: int = 0,
    indices: Sequence[int] | Tensor | None = None,
    batch_size: int = BATCH_SIZE,
    rows_per_pass: int | None = None,
) -> Result:
    """Attack a classifier and score it on noise that no attack and no choice has seen.

    For each image the clean image and every attack's result are ranked on held-out draws (lowest accuracy,
    then lowest mean margin); the winner counts as the worst case, scored on separate draws.

    Args:
        classifier: In eval mode; a ``SpikingClassifier`` or ``rs.wrap(module)``.
        images: Pixels in [0, 1].
        labels: Class of each image.
        attacks: A suite, or a list of attacks and (attack, gradient path) pairs.
        num_draws: Draws for scoring, and as many for choosing; a deterministic classifier gets 1.
        seed: Of all noise, that of the attacks included.
        indices: Index of each image in its data set, which keys its noise; None is 0 ... N - 1.
        batch_size: Images attacked together; it does not influence the noise.
        rows_per_pass: (image, draw) pairs of a gradient's pass, at most; None is as many as memory holds. It
            influences rounding only.

    Raises:
        InputError (a ValueError): training mode, no attack, or images and labels that do not fit.
    """
    require_images(images)
    require_labels(labels, num_images=len(images))
    require_eval_mode(classifier)
    require_counts(rows_per_pass=rows_per_pass)
    keys = require_indices(indices, num_images=len(images))
    plan = make_plan(
        attacks,
        num_draws=num_draws,
        seed=seed,
        is_random=classifier.varies(images[:batch_size]),
        num_pixels=images[0].numel(),
        batch_size=batch_size,
    )
    require_sources(plan, classifier, images)
    plan = plan.sized(
        rows_per_pass or measured_rows(classifier, images, plan),
        draw_chunk=1 if classifier.has_noise_of_its_own else None,
    )
    rows = [row for batch in evaluate_batches(classifier, images, labels, keys, plan) for row in batch]
    warn_if_weak(rows)
    by_entry: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        by_entry.setdefault((row["entry"], row["norm"], row["eps"]), []).append(row)
    per_attack = [
        summarise(by_entry[name, entry.attack.norm.name, entry.attack.eps]) for name, entry in plan.entries
    ]
    return Result(rows, summarise(worst_of_lists(rows)), per_attack)


def evaluate_batches(
    classifier: AbstractClassifier,
    images: Tensor,
    labels: Tensor,
    indices: Tensor,
    plan: Plan,
    *,
    done: AbstractSet[tuple[object, ...]] = frozenset(),
) -> Iterator[list[Row]]:
    """Yield the new rows of each batch; lists whose rows are all ``done`` are not computed again."""
    size, labels = min(plan.batch_size, len(images)), labels.to(images.device)
    for start in range(0, len(images), size):
        batch = padded_batch(images, labels, indices, start=start, size=size)
        judged = evaluate_batch(classifier, batch, plan, done=done)
        yield [row for part in judged for row in part.rows]


def evaluate_batch(
    classifier: AbstractClassifier,
    batch: Batch,
    plan: Plan,
    *,
    done: AbstractSet[tuple[object, ...]] = frozenset(),
) -> list[Judged]:
    """Return what is new of a batch, list by list; lists whose rows are all ``done`` are left out."""
    judge, clean, found = Judge(classifier, plan, batch), None, list[Judged]()
    with limited_rows(plan.rows_per_pass):
        for suite, entries in plan.lists():
            if keys_of_list(plan, suite, entries, batch.indices[: batch.num_real].tolist()) <= done:
                continue
            clean = clean or judge.clean()
            judged = judge_list(judge, clean, suite, entries)
            found.append(judged.without(done))
    return found


def require_eval_mode(classifier: AbstractClassifier) -> None:
    """Raise unless ``classifier`` is one, with every submodule in eval mode."""
    require_classifier(classifier)
    if any(module.training for module in classifier.modules()):
        raise InputError("the classifier is in training mode; call classifier.eval() first")


def warn_if_weak(rows: Sequence[Row]) -> None:
    """Warn of entries that could not attack many images, and of suites that are not what they are called."""
    for found in group(rows).values():
        if found[0]["entry"] == WORST:
            _warn_if_unreliable(found)
            continue
        attacked = [row for row in found if row["heldout_counts"] is not None]
        for flag, reason in _REASONS.items():
            share = sum(flag in row["flags"] for row in attacked) / max(1, len(attacked))
            if share > _WEAK_SHARE:
                warnings.warn(
                    f"{found[0]['entry']} {reason} on {100 * share:.0f} % of {len(attacked)} images, "
                    "which is no evidence of robustness",
                    WeakEvaluation,
                    stacklevel=3,
                )


def _warn_if_unreliable(worst: Sequence[Row]) -> None:
    if reasons := why_unreliable(worst):
        warnings.warn(
            f"the worst case of suite {worst[0]['suite']} is not reliable: {'; '.join(reasons)}",
            WeakEvaluation,
            stacklevel=4,
        )
