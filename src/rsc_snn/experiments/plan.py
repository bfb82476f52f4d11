"""From tables to cells: what is asked for, each cell once, networks before what needs them."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rsc_snn.data import AbstractDataset
from rsc_snn.data import data_root as find_root
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.experiments.cells import AbstractCell, Network, Place, Trained
from rsc_snn.experiments.cells.base import said
from rsc_snn.experiments.places import table_functions
from rsc_snn.experiments.tables.context import BASES, METHODS, Asked, Context
from rsc_snn.runs.reproduction import Line, Reproduction, Task


@dataclass(frozen=True)
class Filter:
    """Which lines of the tables are wanted.

    Attributes:
        dataset: Only this one, by its recipe name such as cifar10; None is all that are there.
        methods: Only these row labels or methods, such as RSC-0.1 or rsc0.1; none is all.
    """

    dataset: str | None = None
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.dataset is not None and self.dataset not in (known := set(_datasets())):
            raise UnknownNameError("data set of the paper", self.dataset, known)
        for method in self.methods:
            if method not in (known := {*METHODS, *METHODS.values()}):
                raise UnknownNameError("row", method, known)

    def wants(self, line: Line) -> bool:
        """Whether a line is wanted."""
        is_dataset = self.dataset is None or _datasets()[self.dataset] == line.dataset
        names = (line.method, METHODS[line.method])
        return is_dataset and (not self.methods or any(name in self.methods for name in names))


def _datasets() -> dict[str, str]:
    """Name of a data set -> how the paper writes it."""
    return {dataset.lower().replace("cifar-", "cifar"): dataset for dataset, _ in BASES}


def ask(places: Iterable[str], context: Context, wanted: Filter, data_root: Path | None) -> list[Asked]:
    """Return the lines of the places; those whose data is missing have no cells, and say so.

    Raises:
        InputError: no line is left, or the data set that was asked for by name is not there.
    """
    functions, root = table_functions(), find_root(data_root)
    asked = [found for place in places for found in functions[place](context) if wanted.wants(found.line)]
    if not asked:
        raise InputError(
            f"{', '.join(places)} has no row for --dataset {wanted.dataset or 'all'} and --rows "
            f"{', '.join(wanted.methods) or 'all'}; see 'rsc-snn list tables'"
        )
    return [_with_data(found, root, is_demanded=wanted.dataset is not None) for found in asked]


def _with_data(asked: Asked, root: Path | None, *, is_demanded: bool) -> Asked:
    for cell in asked.cells:
        for network in cell.needs:
            missing = _why_missing(network.recipe.data, root)
            if missing is None:
                continue
            if is_demanded:
                raise InputError(missing)
            why = f"not run: {missing}"
            return Asked(replace(asked.line, numbers={}, reductions=(why,)), ())
    return asked


@functools.cache
def _why_missing(dataset: AbstractDataset, root: Path | None) -> str | None:
    try:
        dataset.locate(root)
    except InputError as err:
        return str(err)
    return None


def ordered(asked: Sequence[Asked]) -> list[AbstractCell]:
    """Return every cell once, the training of a network right before the first that needs it."""
    found: dict[str, AbstractCell] = {}
    for cell in (cell for each in asked for cell in each.cells):
        for network in cell.needs:
            training = Trained(network=network)
            found.setdefault(training.key, training)
        found.setdefault(cell.key, cell)
    return list(found.values())


def prerequisites(cells: Sequence[AbstractCell]) -> dict[str, list[str]]:
    """Return, for each cell, the cells that must have ended before it starts.

    Cells that touch the same run folder follow one another, since a folder is one process's at a time.
    """
    last: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for cell in cells:
        folders = {cell.run, *(network.run for network in cell.needs)}
        found[cell.key] = sorted({last[folder] for folder in folders if folder in last})
        last |= dict.fromkeys(folders, cell.key)
    return found


def trainings_of(cell: AbstractCell) -> list[str]:
    """Return the keys of the trainings without which a cell makes no sense."""
    return [Trained(network=network).key for network in _others(cell)]


def _others(cell: AbstractCell) -> tuple[Network, ...]:
    return () if isinstance(cell, Trained) else cell.needs


def reproduction_of(
    places: tuple[str, ...], context: Context, wanted: Filter, asked: Sequence[Asked], place: Place
) -> Reproduction:
    """Return what the report needs to know of all this."""
    tasks = tuple(
        Task(key=cell.key, run=cell.run, what=cell.what, command=said(cell.command(place)))
        for cell in ordered(asked)
    )
    return Reproduction(
        places=places,
        budget=context.budget.name,
        seeds=len(context.seeds),
        lines=tuple(found.line for found in asked),
        tasks=tasks,
        dataset=wanted.dataset,
        limit=context.limit,
    )


def joined(earlier: Reproduction | None, new: Reproduction) -> Reproduction:
    """Return ``new`` with the places of an earlier call that it does not ask for again."""
    if earlier is None:
        return new
    lines = [line for line in earlier.lines if line.place not in new.places]
    cells = {rows.cell for line in lines for found in line.numbers.values() for rows in found}
    known = {task.key for task in new.tasks}
    runs = {task.run for task in earlier.tasks if task.key in cells}
    tasks = [task for task in earlier.tasks if task.run in runs and task.key not in known]
    places = {*earlier.places, *new.places}
    return replace(
        new,
        places=tuple(name for name in table_functions() if name in places),
        lines=(*lines, *new.lines),
        tasks=(*tasks, *new.tasks),
    )
