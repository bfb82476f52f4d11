"""Reproducing from the command line: what is asked for, a live table of cells, and the page."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rsc_snn.checks import require_counts
from rsc_snn.cli.grid_display import watched
from rsc_snn.cli.options import read_device
from rsc_snn.cli.printing import make_console, program
from rsc_snn.cli.progress import telling_what_is_kept
from rsc_snn.data import data_root as find_root
from rsc_snn.errors import InputError
from rsc_snn.experiments.budget import budget_called
from rsc_snn.experiments.cells import Place
from rsc_snn.experiments.grid.base import AbstractGrid
from rsc_snn.experiments.grid.cluster import RayGrid
from rsc_snn.experiments.grid.outcome import Outcome
from rsc_snn.experiments.grid.serial import SerialGrid
from rsc_snn.experiments.places import chosen
from rsc_snn.experiments.plan import Filter
from rsc_snn.experiments.reproduce import Job, reproduce
from rsc_snn.experiments.tables.context import Context
from rsc_snn.memory import keep_freed_memory
from rsc_snn.networks.compiling import asked_to_compile
from rsc_snn.report.page import write_report
from rsc_snn.training.display import duration

PAGE = "report.html"
_SHOWN = (".json", ".jsonl", ".yaml", ".safetensors")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The words of the command line; None where an option was not given."""

    tables: tuple[str, ...]
    budget: str
    dataset: str | None
    rows: str | None
    seeds: int
    limit: int | None
    ray: str | None
    out: Path | None
    data_root: Path | None
    device: str | None
    compiled: str


def reproduce_and_show(wish: Wish) -> int:
    """Compute what is left, write the page, and return the exit status: 1 if a cell failed."""
    keep_freed_memory()
    job = read_job(wish)
    console = make_console()
    folder = job.place.folder
    with telling_what_is_kept(console, is_shown=True), watched(console) as watcher:
        outcomes = reproduce(
            job,
            watcher=watcher,
            on_start=lambda left, num_done, seconds: watcher.expect(left, num_done, _cost(seconds, wish.ray)),
        )
    _summarise(console, outcomes)
    page = folder / PAGE
    if outcomes or not _is_fresh(page):
        write_report(folder)
    console.print(f"report: {page}", soft_wrap=True)
    return int(any(not outcome.is_done for outcome in outcomes))


def _is_fresh(page: Path) -> bool:
    """Whether the page was written after everything that it shows."""
    if not page.is_file():
        return False
    shown = (path for path in page.parent.rglob("*") if path.suffix in _SHOWN)
    return all(path.stat().st_mtime_ns <= page.stat().st_mtime_ns for path in shown)


def read_job(wish: Wish) -> Job:
    """Return what a command line asks for, checked as far as that needs no data.

    Raises:
        InputError: an option does not fit; the message names it.
    """
    require_counts(seeds=wish.seeds, limit=wish.limit)
    asked_to_compile(wish.compiled)
    places, budget = chosen(list(wish.tables)), budget_called(wish.budget)
    wanted = Filter(dataset=wish.dataset, methods=_methods(wish.rows))
    if wish.out is not None and wish.out.is_file():
        raise InputError(f"--out expects a folder, got the file {str(wish.out)!r}")
    root = find_root(wish.data_root)
    folder = wish.out or Path(f"reproduction-{budget.name}")
    place = Place(
        folder=folder,
        device=str(read_device(wish.device)),
        data_root=root if root is None else root.absolute(),
        compiled=budget.compiled if wish.compiled == "auto" else wish.compiled,
    )
    grid: AbstractGrid = SerialGrid() if wish.ray is None else RayGrid(wish.ray)
    context = Context(budget, tuple(range(wish.seeds)), wish.limit)
    return Job(places, context, wanted, place, grid)


def _methods(text: str | None) -> tuple[str, ...]:
    """Read ``Direct,RSC-0.1``."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise InputError(f"--rows expects row labels with commas, such as Direct,RSC-0.1, got {text!r}")
    return names


def _cost(seconds: float, ray: str | None) -> str:
    return f"about {duration(seconds)}" + (" of one device" if ray else "")


def _summarise(console: Console, outcomes: Sequence[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if not outcome.is_done]
    done = len(outcomes) - len(failed)
    told = f"{done} cells computed" if outcomes else "everything was there"
    console.print(f"{told}{f', {len(failed)} failed' if failed else ''}", soft_wrap=True)
    if failed:
        again = shlex.join([program(), *sys.argv[1:]])
        console.print(f"failed cells are tried again by the same command: {again}", soft_wrap=True)
