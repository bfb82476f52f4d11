"""Evaluating a run folder: its data, its classifier, rows that survive an interruption."""

import contextlib
import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rsc_snn.attacks import Suite
from rsc_snn.checks import require_counts
from rsc_snn.classifier import AbstractClassifier, SpikingClassifier
from rsc_snn.data import AbstractImageSet
from rsc_snn.errors import InputError, UnreadableImage
from rsc_snn.evaluation.batch import padded_batch
from rsc_snn.evaluation.continued import Unit, require_same_subject, with_same_entries
from rsc_snn.evaluation.estimate import Estimate, estimate, seconds_there_and_back
from rsc_snn.evaluation.evaluate import evaluate_batch, warn_if_weak
from rsc_snn.evaluation.lists import Judged, keys_of_list
from rsc_snn.evaluation.plan import BATCH_SIZE, Attacks, Plan, make_plan, require_sources
from rsc_snn.evaluation.record import Record
from rsc_snn.evaluation.sizing import measured_rows
from rsc_snn.evaluation.splits import AbstractSplit, TestSplit
from rsc_snn.evaluation.tuning import TimeAverageChoice, with_chosen_width
from rsc_snn.networks.compiling import asked_to_compile, compile_kernels, is_worth_compiling
from rsc_snn.networks.folding import folded
from rsc_snn.outofmemory import memory_told
from rsc_snn.processes import current_group
from rsc_snn.runs.environment import describe_environment
from rsc_snn.runs.files import Row, cut_rows, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.schema import require_attack_rows, row_key
from rsc_snn.runs.storage import load as load_classifier

Progress = Callable[[int, int], None]


def evaluate_run(
    run: str | Path,
    attacks: Attacks | Sequence[Suite],
    *,
    split: AbstractSplit = TestSplit(),  # noqa: B008 - has no state
    num_draws: int = 20,
    seed: int = 0,
    limit: int | None = None,
    batch_size: int | None = None,
    rows_per_pass: int | None = None,
    compiled: str = "auto",
    device: str | torch.device = "cpu",
    data_root: str | Path | None = None,
    keeps_images: bool = False,
    on_batch: Progress = lambda done, total: None,
    on_estimate: Callable[[Estimate], None] = lambda estimate: None,
) -> list[Row]:
    """Evaluate the classifier of a run on images of its data set and append the rows that are not there.

    Args:
        run: Its folder.
        attacks: As in ``rs.evaluate``, or one suite at several eps.
        split: Test images (rows in attacks.jsonl) or those that training kept back (validation.jsonl).
        num_draws: Scoring draws, and as many held-out draws.
        seed: Of all noise.
        limit: Images, from the first on.
        batch_size: Images attacked together; None is that of earlier rows, else 64.
        rows_per_pass: (image, draw) pairs of a gradient's pass; None: as earlier rows, or as memory holds.
        compiled: "on", "off" or "auto": whether torch compiles the neurons; auto: as earlier rows, or time.
        device: Any torch device.
        data_root: See ``rs.data.load``.
        keeps_images: Whether the images that won are written to candidates.safetensors.
        on_batch: Called after each batch with the number of images done and in all.
        on_estimate: Called once before the first batch, if there is one.

    Returns all rows that were asked for; processes other than the first get only earlier ones.
    """
    require_counts(num_draws=num_draws, limit=limit, batch_size=batch_size, rows_per_pass=rows_per_pass)
    asked, place = asked_to_compile(compiled), torch.device(device)
    folder, group = RunFolder(Path(run)), current_group()
    classifier = group.node_first(lambda: _victim(run)).to(place)
    test = group.node_first(lambda: split.images(folder, data_root, limit))
    subject = subject_of(folder, test)
    first = _first_readable(test := test.to(place), split)
    with contextlib.ExitStack() as stack:
        rows = group.led(lambda: _earlier_rows(stack, folder, split, subject))
        options: dict[str, Any] = {"is_random": classifier.varies(first), "num_pixels": first[0].numel()}
        options |= {"num_draws": num_draws, "seed": seed, "batch_size": batch_size or BATCH_SIZE}
        unit = Unit(batch_size=batch_size, rows_per_pass=rows_per_pass, is_compiled=asked)
        require_sources(asked_plan := make_plan(attacks, **options), classifier, first)
        plan = unit.settled(asked_plan, rows, split.rows(folder), lambda p: _measured(p, classifier, first))
        choice = TimeAverageChoice(folder, split.time_average(folder), classifier, subject, data_root)
        entries = make_plan(with_chosen_width(attacks, lambda: group.led(choice)), **options).entries
        plan = with_same_entries(replace(plan, entries=entries), rows, split.rows(folder))
        work = _Work(classifier, test, plan, frozenset(row_key(row) for row in rows))
        facts = describe_environment(place, seed=seed, subject=subject, processes=group.size, **split.marks)
        with memory_told(*_needed(plan)):
            work = work.foretold(first, on_estimate)
            rows += _recorded(work, Record(folder, split, facts, keeps_images), on_batch)
    return _wanted(plan, rows, test, split, is_leader=group.leads)


def _victim(run: str | Path) -> SpikingClassifier:
    """The classifier of a run, with its normalisation folded into the convolutions."""
    classifier = load_classifier(run)
    classifier.network = folded(classifier.network)
    return classifier


def _measured(plan: Plan, classifier: AbstractClassifier, images: Tensor) -> int:
    """Rows of a pass that every process has the memory for."""
    group = current_group()
    num_sharing = 1 if images.device.type == "cuda" else group.local_size
    rows = measured_rows(classifier, images, plan, num_sharing=num_sharing)
    return -group.agree(-rows)[0]


def _first_readable(test: AbstractImageSet, split: AbstractSplit) -> Tensor:
    """The pixels of the first images that can be decoded, on which the classifier is tried."""
    for group in torch.arange(len(test)).split(BATCH_SIZE):
        if len(found := test.at(group).fetch()):
            return found.pixels()
    raise InputError(f"not one {split.name} image can be decoded; check the images that were named")


def _needed(plan: Plan) -> tuple[str, str]:
    """What needs memory, and what to try with less of it."""
    rows, images = (max(1, number // 2) for number in (plan.rows_per_pass, plan.batch_size))
    smaller = f"--rows {rows}" if plan.rows_per_pass > 1 else f"--batch-size {images}"
    held = f"{plan.rows_per_pass} images and draws in a pass, {plan.batch_size} images in a batch"
    return held, f"{smaller}, with another --seed where rows of this one are there already"


def _earlier_rows(
    stack: contextlib.ExitStack, folder: RunFolder, split: AbstractSplit, subject: str
) -> list[Row]:
    """Lock the folder and return its rows; damaged files are refused before the work, not after."""
    stack.enter_context(folder.locked())
    rows = cut_rows(path := split.rows(folder))
    require_attack_rows(rows, path, split=split.name)
    require_same_subject(rows, path, subject)
    read_environments(folder.environment)
    return rows


@dataclass(frozen=True)
class _Work:
    """What is evaluated, in batches that any process can take."""

    classifier: AbstractClassifier
    test: AbstractImageSet
    plan: Plan
    done: frozenset[tuple[object, ...]]

    @property
    def size(self) -> int:
        """Images of a batch."""
        return min(self.plan.batch_size, len(self.test))

    def judged(self, number: int) -> list[Judged]:
        """Return what is new of batch ``number``, whose images are decoded now; nothing beyond the last."""
        part = self._part(number)
        if self._is_done(part) or len(found := part.fetch()) == 0:
            return []
        batch = padded_batch(found.pixels(), found.labels, found.indices, start=0, size=self.size)
        return evaluate_batch(self.classifier, batch, self.plan, done=self.done)

    def foretold(self, images: Tensor, on_estimate: Callable[[Estimate], None]) -> "_Work":
        """Tell what is left for this process, if anything, by a trial with a few images.

        Returns the same work, with its neurons compiled if that was asked for or is worth it.
        """
        numbers = range(-(-len(self.test) // self.size))
        num_left = sum(not self._is_done(self._part(number)) for number in numbers)
        group = current_group()
        if not (share := -(-num_left // group.size) * self.size):
            return self

        def expected() -> Estimate:
            return estimate(self.classifier, images, self.plan, num_images=share)

        chosen, found = self.plan.is_compiled, None
        if chosen is None:
            plain = found = expected()
            chosen = group.led(lambda: is_worth_compiling(plain.seconds, images.device))
        if chosen:
            chosen = compile_kernels(
                self.classifier,
                lambda: seconds_there_and_back(self.classifier, images[:2]),
                is_asked=self.plan.is_compiled is True,
            )
            found = None if chosen else found
        on_estimate(found or expected())
        return replace(self, plan=replace(self.plan, is_compiled=chosen))

    def _part(self, number: int) -> AbstractImageSet:
        return self.test.at(slice(number * self.size, (number + 1) * self.size))

    def _is_done(self, part: AbstractImageSet) -> bool:
        indices = part.indices.tolist()
        return all(keys_of_list(self.plan, *named, indices) <= self.done for named in self.plan.lists())


def _warn_if_incomplete(rows: list[Row], num_images: int, split: AbstractSplit) -> None:
    missing = num_images - len({row["index"] for row in rows})
    if missing:
        warnings.warn(
            f"{missing} of {num_images} {split.name} images cannot be decoded and have no rows; accuracies "
            "are those of the others",
            UnreadableImage,
            stacklevel=3,
        )


def subject_of(folder: RunFolder, test: AbstractImageSet) -> str:
    """What the rows are about: a digest of specification, weights and the first image."""
    digest = hashlib.sha256(folder.weights.read_bytes())
    digest.update(repr(folder.read_spec()["classifier"]).encode())
    digest.update(test.at(slice(1)).fingerprint().encode())
    return digest.hexdigest()[:16]


def _recorded(work: _Work, record: Record, on_batch: Progress) -> list[Row]:
    """Let every process take whole batches; the leader appends each in one write, in the order of batches.

    Returns the new rows, of all processes in the leader.
    """
    group, rows = current_group(), list[Row]()
    num_images = len(work.test)
    with contextlib.closing(record) if group.leads else contextlib.nullcontext():
        for first in range(0, -(-num_images // work.size), group.size):
            own = work.judged(first + group.rank)
            for position, judged in enumerate(group.gathered(own), start=first + 1):
                rows += record.add(judged)
                on_batch(min(position * work.size, num_images), num_images)
    return rows


def _wanted(
    plan: Plan, rows: list[Row], test: AbstractImageSet, split: AbstractSplit, *, is_leader: bool
) -> list[Row]:
    """The rows of the plan; what is doubtful about them is said once."""
    indices = test.indices.tolist()
    keys = [keys_of_list(plan, suite, entries, indices) for suite, entries in plan.lists()]
    found = [row for row in rows if any(row_key(row) in wanted for wanted in keys)]
    if is_leader:
        _warn_if_incomplete(found, len(test), split)
        warn_if_weak(found)
    return found
