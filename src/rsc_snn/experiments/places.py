"""What can be reproduced: found in the packages ``tables`` and ``questions``, not written down."""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType

from rsc_snn.errors import UnknownNameError
from rsc_snn.experiments import questions, tables
from rsc_snn.experiments.tables.context import Asked, Context

ALL, QUESTIONS = "all", "questions"
_PAPERS = ("table", "figure")
Lines = Callable[[Context], list[Asked]]


def table_functions() -> dict[str, Lines]:
    """Return place -> function: the paper's tables, its figures, what goes beyond it, the open questions."""
    found = _lines_in(tables)
    return {name: found[name] for name in sorted(found, key=_order)} | question_functions()


def question_functions() -> dict[str, Lines]:
    """Return place -> function of the questions that the paper leaves open."""
    found = _lines_in(questions)
    return {name: found[name] for name in sorted(found)}


def is_papers(place: str) -> bool:
    """Whether a place is a table or figure of the paper."""
    return place.startswith(_PAPERS)


def chosen(names: list[str]) -> tuple[str, ...]:
    """Return the places of some names, in the order of the paper.

    "all" is everything but the open questions, which need many more networks; "questions" is those.

    Raises:
        UnknownNameError: nothing is called so.
    """
    asked = set(question_functions())
    known = tuple(table_functions())
    groups = {ALL: {*known} - asked, QUESTIONS: asked}
    for name in names:
        if name not in known and name not in groups:
            raise UnknownNameError("table, figure or question", name, [*known, *groups])
    wanted = set().union(*(groups.get(name, {name}) for name in names))
    return tuple(name for name in known if name in wanted)


def _lines_in(package: ModuleType) -> dict[str, Lines]:
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}
    return {name: module.lines for name, module in modules.items() if hasattr(module, "lines")}


def _order(name: str) -> tuple[int, str]:
    kind = next((position for position, kind in enumerate(_PAPERS) if name.startswith(kind)), len(_PAPERS))
    return kind, name
