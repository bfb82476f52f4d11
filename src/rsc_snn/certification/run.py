"""Certifying a run folder: its data, its classifier, rows that survive an interruption."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from rsc_snn.certification.batch import certify_batch
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.certify import BATCH_SIZE, require_guarantee
from rsc_snn.certification.passes import Passes, asked_passes, require_compile
from rsc_snn.certification.votes import Voter
from rsc_snn.checks import require_counts
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import AbstractImageSet
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation.images import test_images
from rsc_snn.evaluation.run import subject_of
from rsc_snn.guarantees import AbstractGuarantee
from rsc_snn.networks import BuiltNetwork
from rsc_snn.networks.compiling import can_compile, compile_network
from rsc_snn.networks.folding import folded
from rsc_snn.outofmemory import memory_told
from rsc_snn.processes import Group, current_group
from rsc_snn.rng import Streams
from rsc_snn.runs.certificate_schema import certificate_key, require_certificate_rows
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.files import Row, append_rows, cut_rows, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_classifier

_PROBED_DRAWS = 2


@dataclass(frozen=True)
class Expected:
    """What a certification will take at most.

    Attributes:
        num_images: Images that are left, over all processes.
        draws_per_image: Draws of one.
        seconds: Of this process.
        is_compiled: Whether the network was compiled for it.
    """

    num_images: int
    draws_per_image: int
    seconds: float
    is_compiled: bool


def certify_run(
    run: str | Path,
    *,
    num_select: int = 100,
    num_estimate: int = 100_000,
    alpha: float = 0.001,
    radius: float | None = None,
    seed: int = 0,
    limit: int | None = None,
    rows_per_pass: int | None = None,
    compiled: str = "auto",
    device: str | torch.device = "cpu",
    data_root: str | Path | None = None,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
    on_estimate: Callable[[Expected], None] = lambda expected: None,
) -> list[Row]:
    """Certify the test images of a run and append the rows that certificates.jsonl lacks.

    Batch normalisation is folded into the convolutions before it. Under torchrun processes take whole batches
    of eight images; counts do not depend on their number, nor on interruptions.

    Args:
        run: Its folder.
        num_select: As in ``rs.certify``.
        num_estimate: As in ``rs.certify``.
        alpha: As in ``rs.certify``.
        radius: As in ``rs.certify``.
        seed: Of all noise.
        limit: Test images, from the first on.
        rows_per_pass: (image, draw) pairs of a forward pass; None is that of earlier rows, else 256.
        compiled: "auto", "on" or "off": whether torch compiles the network first; "auto" is that of earlier
            rows, else by the time that all images take without.
        device: Any torch device.
        data_root: See ``rs.data.load``.
        on_batch: Called after each batch with the number of images done and in all.
        on_estimate: Called once before the first batch, if there is one.

    Returns all rows that were asked for; processes other than the first get only earlier ones.

    Raises:
        InputError: as in ``rs.certify``; rows of other weights, or made with other passes.
    """
    demand = Demand(num_select=num_select, num_estimate=num_estimate, alpha=alpha, seed=seed, target=radius)
    require_counts(limit=limit, rows_per_pass=rows_per_pass)
    require_compile(compiled)
    folder, group, place = RunFolder(Path(run)), current_group(), torch.device(device)
    classifier = group.node_first(lambda: load_classifier(run)).to(place)
    test = group.node_first(lambda: test_images(folder, data_root, limit))
    subject = subject_of(folder, test)
    if len(first := (test := test.to(place)).at(slice(BATCH_SIZE)).fetch()) == 0:
        raise InputError("not one of the first test images can be decoded; check the images that were named")
    guarantee = require_guarantee(classifier, first.pixels())
    demand.require_possible(guarantee)
    classifier.network = folded(classifier.network)
    assert classifier.num_classes is not None
    with contextlib.ExitStack() as stack:
        rows = group.led(lambda: _earlier_rows(stack, folder, subject))
        passes = asked_passes(rows, demand, rows_per_pass, compiled)
        stack.enter_context(memory_told(f"{passes.rows} images in a pass", "fewer --rows"))
        voter = Voter(classifier, classifier.num_classes, seed, passes.rows)
        num_values = first.pixels()[0].numel()
        work = _Work(voter, test, demand, guarantee, num_values, frozenset(map(certificate_key, rows)))
        if left := work.images_left():
            work, seconds = _timed(work, passes, group, first.pixels(), -(-left // group.size))
            on_estimate(Expected(left, num_select + num_estimate, seconds, work.voter.is_padded))
        facts = describe_environment(place, seed=seed, subject=subject, processes=group.size)
        extra = {"subject": subject, "batch_size": BATCH_SIZE, "rows_per_pass": passes.rows}
        extra |= {"compiled": work.voter.is_padded}
        for number in range(0, -(-len(test) // BATCH_SIZE), group.size):
            own = work.rows_of(number + group.rank)
            for position, found in enumerate(group.gathered(own), start=number + 1):
                new = [{**row, **extra} for row in found]
                if new:
                    write_environment(folder.environment, facts)
                    append_rows(folder.certificates, new)
                rows += new
                on_batch(min(position * BATCH_SIZE, len(test)), len(test))
    wanted = work.keys(test.indices.tolist())
    return [row for row in rows if certificate_key(row) in wanted]


def _earlier_rows(stack: contextlib.ExitStack, folder: RunFolder, subject: str) -> list[Row]:
    """Lock the folder and return its rows; rows of other weights are refused before the work, not after."""
    stack.enter_context(folder.locked())
    rows = cut_rows(folder.certificates)
    require_certificate_rows(rows, folder.certificates)
    read_environments(folder.environment)
    if any(row.get("subject") != subject for row in rows):
        raise RunFolderError(
            f"{str(folder.certificates)!r} holds rows of other weights or other test images; move that file "
            "away"
        )
    return rows


def _timed(
    work: "_Work", passes: Passes, group: Group, images: Tensor, num_images: int
) -> tuple["_Work", float]:
    """Time a few passes, compile the network if that is asked for or worth it, and time again."""
    classifier = work.voter.classifier
    assert isinstance(classifier, SpikingClassifier)
    assert isinstance(classifier.network, BuiltNetwork)
    seconds = num_images * work.seconds_per_image(images)
    can = can_compile(images.device) and work.demand.target is None
    if not group.led(lambda: passes.settled(seconds, can_compile=can)):
        return work, seconds
    row = images[torch.zeros(passes.rows, dtype=torch.int64)]
    with torch.no_grad():
        current = classifier.encode(row, Streams(0, "probe", range(passes.rows)))
    compile_network(classifier.network, lambda: classifier.respond(current))
    work = replace(work, voter=replace(work.voter, is_padded=True))
    return work, num_images * work.seconds_per_image(images)


@dataclass(frozen=True)
class _Work:
    """What is certified, in batches that any process can take."""

    voter: Voter
    test: AbstractImageSet
    demand: Demand
    guarantee: AbstractGuarantee
    num_values: int
    done: frozenset[tuple[object, ...]]

    def keys(self, indices: list[int]) -> set[tuple[object, ...]]:
        """Return the keys of the rows of some images."""
        shared = vars(self.demand)
        return {certificate_key({**shared, "index": index}) for index in indices}

    def rows_of(self, number: int) -> list[Row]:
        """Return the rows of batch ``number``, whose images are decoded now; none if they are there."""
        part = self._part(number)
        if self._is_done(part) or len(found := part.fetch()) == 0:
            return []
        batch = certify_batch(
            self.voter, found.pixels(), found.labels, found.indices.cpu(), self.demand, self.guarantee
        )
        rows = [certificate.row(self.demand, self.guarantee, self.num_values) for certificate in batch]
        return [row for row in rows if certificate_key(row) not in self.done]

    def images_left(self) -> int:
        """Images of batches whose rows are not all there."""
        parts = [self._part(number) for number in range(-(-len(self.test) // BATCH_SIZE))]
        return sum(len(part) for part in parts if not self._is_done(part))

    def seconds_per_image(self, images: Tensor) -> float:
        """Time a few passes, the first of which warms up."""
        seconds = []
        num_draws = max(1, self.voter.rows_per_pass // len(images))
        for _ in range(_PROBED_DRAWS):
            started = time.monotonic()
            self.voter.count(images, torch.arange(len(images)), "probe", first=0, num_draws=num_draws)
            seconds.append(time.monotonic() - started)
        per_draw = min(seconds) / (num_draws * len(images))
        return per_draw * (self.demand.num_select + self.demand.num_estimate)

    def _part(self, number: int) -> AbstractImageSet:
        return self.test.at(slice(number * BATCH_SIZE, (number + 1) * BATCH_SIZE))

    def _is_done(self, part: AbstractImageSet) -> bool:
        return self.keys(part.indices.tolist()) <= self.done
