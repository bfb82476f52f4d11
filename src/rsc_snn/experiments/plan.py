"""From tables to cells: what is asked for, each cell once, networks before what needs them."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rsc_snn.data import AbstractDataset
from rsc_snn.data import data_root as find_root
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.experiments.arm import METHODS
from rsc_snn.experiments.budget import SMOKE
from rsc_snn.experiments.cells import AbstractCell, Network, Place, Trained
from rsc_snn.experiments.cells.base import place_words, said
from rsc_snn.experiments.places import table_functions
from rsc_snn.experiments.tables.context import BASES, Asked, Context
from rsc_snn.runs.reproduction import Line, Reproduction, Task

NOT_RUN = "not run: "


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

    def require_known(self, lines: Iterable[Line]) -> None:
        """Raise unless every method is one of the paper's rows, or a row of these lines."""
        known = {*METHODS, *METHODS.values(), *(line.method for line in lines)}
        for method in self.methods:
            if method not in known:
                raise UnknownNameError("row", method, known)

    def wants(self, line: Line) -> bool:
        """Whether a line is wanted."""
        is_dataset = self.dataset is None or _datasets()[self.dataset] == line.dataset
        wanted = {METHODS.get(name, name) for name in self.methods}
        return is_dataset and (not wanted or METHODS.get(line.method, line.method) in wanted)


def _datasets() -> dict[str, str]:
    """Name of a data set -> how the paper writes it."""
    return {dataset.lower().replace("cifar-", "cifar"): dataset for dataset, _ in BASES}


def ask(places: Iterable[str], context: Context, wanted: Filter, data_root: Path | None) -> list[Asked]:
    """Return the lines of the places; those whose data is missing have no cells, and say so.

    Raises:
        InputError: no line is left, or the data set that was asked for by name is not there.
    """
    functions, root = table_functions(), find_root(data_root)
    every = [found for place in places for found in functions[place](context)]
    wanted.require_known(found.line for found in every)
    asked = [found for found in every if wanted.wants(found.line)]
    if not asked:
        raise InputError(
            f"{', '.join(places)} has no row for --dataset {wanted.dataset or 'all'} and --rows "
            f"{', '.join(wanted.methods) or 'all'}; see 'rsc-snn list tables'"
        )
    is_demanded = wanted.dataset is not None
    why_missing = functools.cache(lambda dataset: _why_missing(dataset, root, is_demanded=is_demanded))
    found = [_with_data(each, why_missing, is_demanded=is_demanded) for each in asked]
    if not any(each.cells for each in found):
        raise InputError(found[0].line.reductions[0].removeprefix(NOT_RUN))
    return found


def _with_data(
    asked: Asked, why_missing: Callable[[AbstractDataset], str | None], *, is_demanded: bool
) -> Asked:
    for cell in asked.cells:
        for network in cell.needs:
            missing = why_missing(network.recipe.data)
            if missing is None:
                continue
            if is_demanded:
                raise InputError(missing)
            why = f"{NOT_RUN}{missing}"
            return Asked(replace(asked.line, numbers={}, reductions=(why,)), ())
    return asked


def _why_missing(dataset: AbstractDataset, root: Path | None, *, is_demanded: bool) -> str | None:
    """Why a data set cannot be had; where there is no root, one that was named is opened to find out."""
    try:
        dataset.locate(root)
        if root is None and is_demanded:
            dataset.load("test", None)
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

    Networks are trained before they are used, and cells that write into the same run folder follow one
    another, since a folder is one process's at a time.
    """
    last: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    present = {cell.key for cell in cells}
    for cell in cells:
        before = [last[cell.run]] if cell.run in last else []
        found[cell.key] = sorted({*before, *(key for key in trainings_of(cell) if key in present)})
        last[cell.run] = cell.key
    return found


def trainings_of(cell: AbstractCell) -> list[str]:
    """Return the keys of the trainings without which a cell makes no sense."""
    return [Trained(network=network).key for network in _others(cell)]


def _others(cell: AbstractCell) -> tuple[Network, ...]:
    return () if isinstance(cell, Trained) else cell.needs


def reproduction_of(
    places: tuple[str, ...], context: Context, wanted: Filter, asked: Sequence[Asked], place: Place
) -> Reproduction:
    """Return what the report needs to know of all this; commands are to be typed in DIR."""
    inside = replace(place, folder=Path())
    tasks = tuple(
        Task(key=cell.key, run=cell.run, what=cell.what, command=said(words))
        for cell in ordered(asked)
        for words in [cell.command(inside) or _by_table(cell, context, asked, inside)]
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


def _by_table(cell: AbstractCell, context: Context, asked: Sequence[Asked], place: Place) -> list[str]:
    """The call of ``reproduce`` for a cell that has no command of its own."""
    line = next(found.line for found in asked if cell in found.cells)
    words = ["reproduce", line.place, "--budget", context.budget.name, "--rows", line.method]
    words += ["--seeds", str(len(context.seeds))] if len(context.seeds) > 1 else []
    words += ["--limit", str(context.limit)] if context.limit is not None else []
    return [*words, "--out", ".", *place_words(place)]


def joined(earlier: Reproduction | None, new: Reproduction) -> Reproduction:
    """Return both: lines that are asked for again are those of ``new``, unless its data is missing.

    Args:
        earlier: What the folder holds; None if nothing.
        new: What this call asks for, with the same budget.
    """
    if earlier is None:
        return new
    lines = {_identity(line): line for line in earlier.lines}
    lines |= {_identity(line): line for line in new.lines if line.numbers or _identity(line) not in lines}
    kept = tuple(sorted(lines.values(), key=_order))
    tasks = {task.key: task for task in (*earlier.tasks, *new.tasks)}
    is_alike = earlier.limit == new.limit
    return replace(
        new,
        places=tuple(name for name in table_functions() if name in {*earlier.places, *new.places}),
        seeds=max(len(rows) for line in kept for rows in (*line.numbers.values(), ((),) * new.seeds)),
        dataset=new.dataset if len({line.dataset for line in kept}) == 1 else None,
        limit=new.limit if is_alike else None,
        lines=kept,
        tasks=tuple(tasks.values()),
    )


def _identity(line: Line) -> tuple[object, ...]:
    return (line.place, line.dataset, line.network, line.method, *sorted(line.conditions.items()))


def _order(line: Line) -> tuple[int, int]:
    """Where a line stands: its table, and its place in that."""
    places = list(table_functions())
    rows = [_identity(found) for found in _all_lines(line.place)]
    return places.index(line.place), rows.index(_identity(line))


@functools.cache
def _all_lines(place: str) -> tuple[Line, ...]:
    return tuple(asked.line for asked in table_functions()[place](Context(SMOKE)))
