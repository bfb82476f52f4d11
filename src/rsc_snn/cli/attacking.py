"""Running an evaluation from the command line and printing what it found."""

import contextlib
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console

from rsc_snn.attacks import Suite
from rsc_snn.checks import require_counts
from rsc_snn.cli.options import read_device
from rsc_snn.cli.printing import make_console, print_table, program
from rsc_snn.cli.progress import image_progress, telling_what_is_kept
from rsc_snn.cli.reading import Request, read_list
from rsc_snn.evaluation.estimate import Estimate
from rsc_snn.evaluation.plan import Attacks
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.evaluation.splits import AbstractSplit, split_called
from rsc_snn.evaluation.summary import group, paper_qte, summarise
from rsc_snn.networks.compiling import asked_to_compile
from rsc_snn.processes import joined
from rsc_snn.report.tables import attack_table
from rsc_snn.runs.files import Row
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.schema import TEST
from rsc_snn.runs.zoo import find_run
from rsc_snn.runs.zoo_copies import opened
from rsc_snn.training.display import duration

_KEY = ("suite", "budget", "seed", "norm", "eps", "entry", "num_draws")


@contextlib.contextmanager
def opened_with_list(run: Path, request: Request) -> Iterator[tuple[Path, Attacks | list[Suite]]]:
    """Give the folder to attack and the attacks; of networks of the zoo, victim or source, copies.

    Whatever is wrong with the request is said before anything is copied.
    """
    given = request.sources
    read_list(replace(request, sources=tuple(map(find_run, given))))
    with opened(run, *given) as (place, *sources):
        yield place, read_list(replace(request, sources=tuple(sources)))


def attack_run(
    run: Path,
    attacks: Attacks | Sequence[Suite],
    *,
    split: str,
    is_json: bool,
    num_draws: int,
    seed: int,
    limit: int | None,
    batch_size: int | None,
    rows_per_pass: int | None,
    compiled: str,
    keeps_images: bool,
    device: str | None,
    data_root: Path | None,
) -> None:
    """Evaluate a run folder and print a table, or the summaries as JSON."""
    require_counts(draws=num_draws, limit=limit, batch_size=batch_size, rows=rows_per_pass)
    asked_to_compile(compiled)
    images = split_called(split)
    console = make_console()
    RunFolder(run).read_spec()
    place = read_device(device)
    with joined(place) as processes:
        is_quiet = is_json or not processes.leads
        with (
            telling_what_is_kept(console, is_shown=not is_quiet),
            image_progress(console, run.name, is_shown=not is_quiet) as on_batch,
        ):
            rows = evaluate_run(
                run,
                attacks,
                split=images,
                num_draws=num_draws,
                seed=seed,
                limit=limit,
                batch_size=batch_size,
                rows_per_pass=rows_per_pass,
                compiled=compiled,
                device=place,
                data_root=data_root,
                keeps_images=keeps_images,
                on_batch=on_batch,
                on_estimate=lambda found: None if is_quiet else _tell(console, found),
            )
    if processes.leads:
        _show(console, run, rows, images, is_json=is_json)


def _tell(console: Console, found: Estimate) -> None:
    console.print(
        f"at most {duration(found.seconds)} and {found.num_bytes / 2**30:.1f} GiB: "
        f"{found.gradient_passes:,} passes there and back and {found.forward_passes:,} there per image",
        soft_wrap=True,
    )


def _show(console: Console, run: Path, rows: list[Row], split: AbstractSplit, *, is_json: bool) -> None:
    if is_json:
        typer.echo(json.dumps([_summary(found) for found in group(rows).values()], indent=1))
        return
    print_table(console, attack_table(str(run), rows))
    if split.marks:
        console.print(f"{split.name} images: for choices, not for results", soft_wrap=True)
    next_command = shlex.join([program(), *split.next_words(run)])
    console.print(f"rows: {split.rows(RunFolder(run))}; next: {next_command}", soft_wrap=True)


def _summary(rows: list[Row]) -> dict[str, object]:
    """One entry at one eps: its key, and (value, low, high) of each accuracy."""
    key = {name: rows[0][name] for name in _KEY} | {"split": rows[0].get("split", TEST)}
    return {**key, **vars(summarise(rows)), "qte": paper_qte(rows) if rows[0]["norm"] == "linf" else None}
