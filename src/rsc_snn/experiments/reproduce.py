"""Reproducing tables and figures: the cells that they need, and what is left of them."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from rsc_snn.errors import RunFolderError
from rsc_snn.experiments.cells import AbstractCell, Place, Probe
from rsc_snn.experiments.grid.base import AbstractGrid, Watcher
from rsc_snn.experiments.grid.outcome import Outcome
from rsc_snn.experiments.plan import Filter, ask, joined, ordered, reproduction_of
from rsc_snn.experiments.tables.context import Context
from rsc_snn.runs.files import append_rows, cut_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import DONE, STATES, Reproduction, last_states, read_reproduction


@dataclass(frozen=True)
class Job:
    """What a call asks for.

    Attributes:
        places: Tables and figures.
        context: Budget, seeds and limit.
        wanted: Which of their lines.
        place: Where cells compute.
        grid: What runs them.
    """

    places: tuple[str, ...]
    context: Context
    wanted: Filter
    place: Place
    grid: AbstractGrid


def reproduce(
    job: Job,
    *,
    watcher: Watcher | None = None,
    on_start: Callable[[list[AbstractCell], int, float], None] = lambda left, num_done, seconds: None,
) -> list[Outcome]:
    """Compute what is left of the cells that the places need; rows, plan and states go to the folder.

    Args:
        job: What is asked for.
        watcher: Is told what happens.
        on_start: Called once before the first cell with the cells that are left, the number of those that
            are done, and the seconds that one device is expected to take, at most.

    Returns the outcomes of this call's cells; none if all were there.

    Raises:
        InputError: data is missing, nothing is asked for, or the folder holds another budget.
    """
    asked = ask(job.places, job.context, job.wanted, job.place.data_root)
    cells = ordered(asked)
    with _held(job.place.folder):
        plan = reproduction_of(job.places, job.context, job.wanted, asked, job.place)
        earlier = _earlier(job.place.folder, plan)
        cut_rows(job.place.folder / STATES)
        left = unfinished(cells, job.place)
        joined(earlier, plan).write(job.place.folder)
        if not left:
            return []
        on_start(left, len(cells) - len(left), expected_seconds(left, job.place))
        return list(recorded(job.grid, left, job.place, watcher or Watcher()))


def unfinished(cells: Sequence[AbstractCell], place: Place) -> list[AbstractCell]:
    """Return the cells that are not done: not begun, interrupted, failed, or with rows or weights changed."""
    states = last_states(place.folder)

    def is_done(cell: AbstractCell) -> bool:
        state = states.get(cell.key, {})
        return state.get("state") == DONE and state.get("evidence") == cell.evidence(place)

    return [cell for cell in cells if not is_done(cell)]


def expected_seconds(cells: Sequence[AbstractCell], place: Place) -> float:
    """Return about what cells take on one device, by timing a pass of each network.

    A cell whose network cannot be tried counts nothing: it will tell why when its turn comes.
    """
    probe, total = Probe(torch.device(place.device)), 0.0
    for cell in cells:
        with contextlib.suppress(Exception):
            total += cell.expected_seconds(probe, place)
    return total


def recorded(
    grid: AbstractGrid, left: Sequence[AbstractCell], place: Place, watcher: Watcher
) -> Iterator[Outcome]:
    """Compute cells; how each ended goes to cells.jsonl, then to the watcher, then to the caller."""
    by_key = {cell.key: cell for cell in left}
    for outcome in grid.run(left, place, watcher):
        append_rows(place.folder / STATES, [outcome.row()])
        watcher.ended(by_key[outcome.cell], outcome)
        yield outcome


def _earlier(folder: Path, plan: Reproduction) -> Reproduction | None:
    earlier = read_reproduction(folder)
    if earlier is not None and earlier.budget != plan.budget:
        raise RunFolderError(
            f"{str(folder)!r} holds a reproduction with budget {earlier.budget}, got {plan.budget}; choose "
            "another --out"
        )
    return earlier


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep a second process out of DIR while the context lasts."""
    with RunFolder(folder).locked():
        yield
