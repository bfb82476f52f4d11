"""Auditing a run folder: its data, its classifier, and the rows in audit.jsonl."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from rsc_snn.auditing.audit import Audit, Progress, make_case, run_checks
from rsc_snn.auditing.budget import budget_called
from rsc_snn.auditing.estimate import estimated_seconds
from rsc_snn.checks import require_counts
from rsc_snn.errors import InputError
from rsc_snn.evaluation.images import test_images
from rsc_snn.evaluation.run import subject_of
from rsc_snn.outofmemory import memory_told
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.files import replace_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_classifier


def audit_run(
    run: str | Path,
    *,
    eps: float = 8 / 255,
    sources: Sequence[str | Path] = (),
    num_draws: int = 20,
    budget: str = "full",
    seed: int = 0,
    limit: int | None = 100,
    device: str | torch.device = "cpu",
    data_root: str | Path | None = None,
    on_check: Progress = lambda check, answer: None,
    on_estimate: Callable[[float], None] = lambda seconds: None,
) -> Audit:
    """Audit the classifier of a run on its first test images, and write audit.jsonl in its folder.

    The rows of an earlier audit are replaced when all checks are made.

    Args:
        run: Run folder.
        eps: As in ``rs.audit``.
        sources: Run folders of networks to transfer from.
        num_draws: As in ``rs.audit``.
        budget: As in ``rs.audit``.
        seed: As in ``rs.audit``.
        limit: Only the first so many test images; None is all.
        device: Any torch device.
        data_root: See ``rs.data.load``.
        on_check: As in ``rs.audit``.
        on_estimate: Called once before the first check with the seconds that are expected.

    Raises:
        InputError: a run, source or option does not fit.
    """
    require_counts(limit=limit, num_draws=num_draws)
    budget_called(budget)
    folder, place = RunFolder(Path(run)), torch.device(device)
    classifier = load_classifier(run).to(place)
    others = [load_classifier(path).to(place) for path in sources]
    test = test_images(folder, data_root, limit)
    subject = subject_of(folder, test)
    if len(found := test.to(place).fetch()) == 0:
        raise InputError("not one test image can be decoded; check the images that were named")
    with folder.locked(), memory_told("64 images in a batch", "--device cpu"):
        case = make_case(
            classifier,
            found.pixels(),
            found.labels,
            eps=eps,
            sources=others,
            num_draws=num_draws,
            budget=budget,
            seed=seed,
            indices=found.indices.cpu(),
        )
        on_estimate(estimated_seconds(case))
        audit = run_checks(case, on_check=on_check)
        _write(folder, audit, describe_environment(place, seed=seed, subject=subject))
    return audit


def _write(folder: RunFolder, audit: Audit, environment: dict[str, Any]) -> None:
    write_environment(folder.environment, environment)
    replace_rows(folder.audit, [{**row, "subject": environment["subject"]} for row in audit.rows])
