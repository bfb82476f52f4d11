"""Certifying a run folder: its data, its classifier, rows that survive an interruption."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.certify import BATCH_SIZE, require_guarantee
from rsc_snn.certification.passes import asked_passes
from rsc_snn.certification.votes import Voter
from rsc_snn.certification.work import Work, timed
from rsc_snn.checks import require_counts
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation.images import test_images
from rsc_snn.evaluation.run import subject_of
from rsc_snn.networks.compiling import asked_to_compile
from rsc_snn.networks.folding import folded
from rsc_snn.outofmemory import memory_told
from rsc_snn.processes import Group, current_group
from rsc_snn.runs.certificate_schema import certificate_key, require_certificate_rows
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.files import Row, append_rows, cut_rows, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_classifier


@dataclass(frozen=True)
class Expected:
    """What a certification will take at most.

    Attributes:
        num_images: Images that are left, over all processes.
        draws_per_image: Draws of one.
        seconds: Of this process.
        is_compiled: Whether the neurons were compiled for it.
    """

    num_images: int
    draws_per_image: int
    seconds: float
    is_compiled: bool


def certify_run(
    run: str | Path,
    demand: Demand,
    *,
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
        demand: Draws, alpha, seed and radius.
        limit: Test images, from the first on.
        rows_per_pass: (image, draw) pairs of a forward pass; None is that of earlier rows, else 256.
        compiled: "auto", "on" or "off": whether torch compiles the neurons first; "auto" is that of earlier
            rows, else by the time that the images left take without.
        device: Any torch device.
        data_root: See ``rs.data.load``.
        on_batch: Called after each batch with the number of images done and in all.
        on_estimate: Called once before the first batch, if there is one.

    Returns all rows that were asked for; processes other than the first get only earlier ones.

    Raises:
        InputError: as in ``rs.certify``; rows of other weights, or made with other passes.
    """
    require_counts(limit=limit, rows_per_pass=rows_per_pass)
    asked_to_compile(compiled)
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
        voter = Voter(classifier, classifier.num_classes, demand.seed, passes.rows)
        work = Work(voter, test, demand, guarantee, frozenset(map(certificate_key, rows)))
        if left := work.images_left():
            work, seconds = timed(work, passes, group, first.pixels(), -(-left // group.size))
            num_draws = demand.num_select + demand.num_estimate
            on_estimate(Expected(left, num_draws, seconds, work.is_compiled))
        facts = describe_environment(place, seed=demand.seed, subject=subject, processes=group.size)
        rows += _recorded(work, group, folder, facts, on_batch)
    wanted = work.keys(test.indices.tolist())
    return [row for row in rows if certificate_key(row) in wanted]


def _recorded(
    work: Work, group: Group, folder: RunFolder, facts: dict[str, Any], on_batch: Callable[[int, int], None]
) -> list[Row]:
    """Certify what is left, and write the rows of each batch; what they were made with is written before."""
    rows: list[Row] = []
    for found, number in work.shared_among(group):
        if found:
            new = [{**row, "subject": facts["subject"]} for row in found]
            if not rows:
                write_environment(folder.environment, facts)
            append_rows(folder.certificates, new)
            rows += new
        on_batch(min(number * BATCH_SIZE, len(work.test)), len(work.test))
    return rows


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
