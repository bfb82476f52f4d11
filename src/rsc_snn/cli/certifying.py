"""Running a certification from the command line and printing what it found."""

import json
import math
import shlex
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from rsc_snn.attacks import L2, PGD
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.run import Expected, certify_run
from rsc_snn.checks import require_counts
from rsc_snn.cli.options import read_device
from rsc_snn.cli.printing import make_console, print_table, program
from rsc_snn.cli.progress import image_progress, telling_what_is_kept
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.gradients import BPTT, Expectation
from rsc_snn.networks.compiling import asked_to_compile
from rsc_snn.processes import joined
from rsc_snn.report.certificates import certificate_table, groups_of
from rsc_snn.runs.files import Row
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import read_classifier_spec
from rsc_snn.training.display import duration

_ATTACKED = (0.25, 0.5, 1.0)
_STEPS, _DRAWS, _SCORING_DRAWS = 20, 20, 200


def certify_and_show(
    run: Path,
    demand: Demand,
    *,
    is_json: bool,
    is_attacked: bool,
    rows_per_pass: int | None,
    compiled: str,
    limit: int | None,
    device: str | None,
    data_root: Path | None,
) -> None:
    """Certify a run folder, attack the same images, and print a table, or the rows as JSON."""
    require_counts(limit=limit, rows=rows_per_pass)
    asked_to_compile(compiled)
    console = make_console()
    is_attacked = is_attacked and _norm_of(run) == "l2"
    place = read_device(device)
    where: dict[str, Any] = {"limit": limit, "device": place, "data_root": data_root}
    with joined(place) as processes:
        is_quiet = is_json or not processes.leads
        with telling_what_is_kept(console, is_shown=not is_quiet):
            with image_progress(console, run.name, is_shown=not is_quiet) as on_batch:
                rows = certify_run(
                    run,
                    demand,
                    rows_per_pass=rows_per_pass,
                    compiled=compiled,
                    **where,
                    on_batch=on_batch,
                    on_estimate=lambda found: None if is_quiet else _tell(console, found),
                )
            if is_attacked:
                _attack(console, run, demand, where, is_quiet=is_quiet)
    if processes.leads:
        _show(console, run, rows, is_json=is_json)


def _norm_of(run: Path) -> str | None:
    """Norm of what a run's coding proves, the same in every process; None if nothing."""
    spec = read_classifier_spec(RunFolder(run))
    guarantee = spec.coding.guarantee(spec.num_steps, math.prod(spec.blueprint.image_shape))
    return None if guarantee is None else guarantee.norm


def _attack(console: Console, run: Path, demand: Demand, where: dict[str, Any], *, is_quiet: bool) -> None:
    """Attack the vote by PGD over several draws at each radius; rows go to attacks.jsonl."""
    radii = _ATTACKED if demand.target is None else (demand.target,)
    gradient = Expectation(of=BPTT(), num_draws=_DRAWS)
    attacks = [
        (PGD(norm=L2(), eps=eps, step_size=2.5 * eps / _STEPS, num_steps=_STEPS), gradient) for eps in radii
    ]
    with image_progress(console, f"{run.name}, attacks", is_shown=not is_quiet) as on_batch:
        evaluate_run(
            run,
            attacks,
            num_draws=_SCORING_DRAWS,
            seed=demand.seed,
            **where,
            on_batch=on_batch,
            on_estimate=lambda found: (
                None if is_quiet else console.print(f"attacks: at most {duration(found.seconds)}")
            ),
        )


def _tell(console: Console, found: Expected) -> None:
    console.print(
        f"at most {duration(found.seconds)}: {found.num_images} images, {found.draws_per_image:,} draws each"
        f"{', compiled' if found.is_compiled else ''}",
        soft_wrap=True,
    )


def _show(console: Console, run: Path, rows: list[Row], *, is_json: bool) -> None:
    if is_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    folder = RunFolder(run)
    attacks = folder.attack_rows()
    for found in groups_of(rows):
        print_table(console, certificate_table(str(run), found, attacks))
    next_command = shlex.join([program(), "report", str(run)])
    console.print(f"rows: {folder.certificates}; curve: {next_command}", soft_wrap=True)
