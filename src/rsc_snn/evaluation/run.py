"""Evaluating a run folder: its data, its classifier, rows that survive an interruption."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from rsc_snn.attacks import Suite
from rsc_snn.data import ImageSet
from rsc_snn.data import load as load_data
from rsc_snn.errors import InputError, RangeError, RunFolderError
from rsc_snn.evaluation.batch import row_key
from rsc_snn.evaluation.evaluate import evaluate_batches, warn_if_weak
from rsc_snn.evaluation.plan import BATCH_SIZE, Attacks, Plan, make_plan
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.files import Row, append_rows, cut_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_classifier

Progress = Callable[[int, int], None]


def evaluate_run(
    run: str | Path,
    attacks: Attacks | Sequence[Suite],
    *,
    num_draws: int = 20,
    seed: int = 0,
    limit: int | None = None,
    batch_size: int = BATCH_SIZE,
    device: str | torch.device = "cpu",
    data_root: str | Path | None = None,
    on_batch: Progress = lambda done, total: None,
) -> list[Row]:
    """Evaluate the classifier of a run on its test set and append the rows to attacks.jsonl.

    Rows that are there already are not computed again; a call that was interrupted goes on where it
    stopped, with the batch size it began with.

    Args:
        run: Run folder.
        attacks: As in ``rs.evaluate``, or one suite at several eps.
        num_draws: Scoring draws, and as many held-out draws.
        seed: Of all noise.
        limit: Only the first so many test images.
        batch_size: Images attacked together.
        device: Any torch device.
        data_root: See ``rs.data.load``.
        on_batch: Called after each batch with the number of images done and in all.

    Returns:
        All rows that were asked for, those of earlier calls included.
    """
    folder = RunFolder(Path(run))
    classifier = load_classifier(run).to(device)
    test = _test_images(folder, data_root, limit).to(device)
    images = test.pixels()
    with folder.locked():
        rows = cut_rows(folder.attacks)
        plan = make_plan(
            attacks,
            num_draws=num_draws,
            seed=seed,
            is_random=classifier.varies(images[:batch_size]),
            num_images=len(images),
            batch_size=batch_size,
        )
        plan = _continued(plan, rows, folder)
        batches = evaluate_batches(
            classifier, images, test.labels, test.indices, plan, done={row_key(row) for row in rows}
        )
        rows += _recorded(batches, folder, torch.device(device), plan, len(images), on_batch)
    wanted = _wanted(plan, rows, set(test.indices.tolist()))
    warn_if_weak(wanted)
    return wanted


def _test_images(folder: RunFolder, data_root: str | Path | None, limit: int | None) -> ImageSet:
    if limit is not None and limit < 1:
        raise RangeError(f"limit must be at least 1, got {limit}")
    name = folder.read_spec().get("data")
    if not isinstance(name, str):
        raise InputError(f"{str(folder.spec)!r} does not name its data set; set 'data: NAME' there")
    return load_data(name, data_root, "test").at(slice(limit))


def _recorded(
    batches: Iterator[list[Row]],
    folder: RunFolder,
    device: torch.device,
    plan: Plan,
    num_images: int,
    on_batch: Progress,
) -> list[Row]:
    """Append each batch in one write, and what it was made with before the first; return the new rows."""
    rows: list[Row] = []
    for number, new in enumerate(batches, start=1):
        if new and not rows:
            write_environment(folder.environment, describe_environment(device))
        if new:
            append_rows(folder.attacks, new)
        rows += new
        on_batch(min(number * plan.batch_size, num_images), num_images)
    return rows


def _continued(plan: Plan, rows: list[Row], folder: RunFolder) -> Plan:
    """Take over batch and chunk of the rows of the same plan; refuse other draws under the same key."""
    same = [row for row in rows if (row["suite"], row["seed"]) == (plan.suite, plan.seed)]
    if not same:
        return plan
    if same[0]["num_draws"] != plan.num_draws:
        raise RunFolderError(
            f"{str(folder.attacks)!r} holds rows of suite {plan.suite!r}, seed {plan.seed}, with "
            f"{same[0]['num_draws']} draws, not {plan.num_draws}; use the same --draws or another --seed"
        )
    return replace(plan, batch_size=same[0]["batch_size"], draw_chunk=same[0]["draw_chunk"])


def _wanted(plan: Plan, rows: list[Row], indices: set[int]) -> list[Row]:
    strengths = {(entry.attack.eps, entry.attack.norm.name) for _, entry in plan.entries}
    return [
        row
        for row in rows
        if (row["suite"], row["budget"], row["seed"]) == (plan.suite, plan.budget, plan.seed)
        and (row["eps"], row["norm"]) in strengths
        and row["index"] in indices
    ]
