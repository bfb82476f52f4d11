"""Searching from the command line: a live table of cells, the ranking, and what to do with the winner."""

import shlex
from pathlib import Path

from rsc_snn.cli.grid_display import watched
from rsc_snn.cli.options import read_device
from rsc_snn.cli.printing import make_console, print_table, program
from rsc_snn.cli.progress import telling_what_is_kept
from rsc_snn.data import data_root as find_root
from rsc_snn.errors import InputError
from rsc_snn.experiments.cells import Place
from rsc_snn.experiments.grid.base import AbstractGrid
from rsc_snn.experiments.grid.cluster import RayGrid
from rsc_snn.experiments.grid.serial import SerialGrid
from rsc_snn.experiments.search.plan import read_plan
from rsc_snn.experiments.search.running import search
from rsc_snn.memory import keep_freed_memory
from rsc_snn.networks.compiling import asked_to_compile
from rsc_snn.report.formats.markdown import markdown
from rsc_snn.report.ranking import ranking_table, winner_of
from rsc_snn.report.sections import Section
from rsc_snn.runs.files import replace_text
from rsc_snn.runs.reproduction import FAILED, RUNS
from rsc_snn.training.display import duration

PAGE = "ranking.md"


def search_and_show(
    path: Path,
    *,
    out: Path | None,
    is_halving: bool,
    ray: str | None,
    data_root: Path | None,
    device: str | None,
    compiled: str,
) -> int:
    """Run a search, write and print its ranking, and return the exit status: 1 if a candidate failed."""
    keep_freed_memory()
    asked_to_compile(compiled)
    plan = read_plan(path)
    if out is not None and out.is_file():
        raise InputError(f"--out expects a folder, got the file {str(out)!r}")
    root = find_root(data_root)
    place = Place(
        folder=out or Path(f"search-{path.stem}"),
        device=str(read_device(device)),
        data_root=root if root is None else root.absolute(),
        compiled=compiled,
    )
    grid: AbstractGrid = SerialGrid() if ray is None else RayGrid(ray)
    console = make_console()
    with telling_what_is_kept(console, is_shown=True), watched(console) as watcher:
        found = search(
            plan,
            place,
            grid,
            is_halving=is_halving,
            watcher=watcher,
            on_stage=lambda stage, left, num_done, seconds: watcher.expect(
                left,
                num_done,
                f"stage {stage}, about {duration(seconds)}" + (" of one device" if ray else ""),
            ),
        )
    table = ranking_table(found.rows, plan.objective, num_measured=found.num_measured, gaps=found.gaps)
    replace_text(place.folder / PAGE, markdown([Section(table.title, tables=[table])], level=1))
    print_table(console, table)
    console.print(f"ranking: {place.folder / PAGE}", soft_wrap=True)
    if winner := winner_of(found.rows, plan.objective):
        words = [program(), "attack", str(place.folder / RUNS / winner["run"]), "--suite", "reliable"]
        console.print(f"measure the winner on the test split: {shlex.join(words)}", soft_wrap=True)
    return int(any(row["state"] == FAILED for row in found.rows))
