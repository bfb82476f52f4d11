"""The tables and figures that can be reproduced: found in the package ``tables``, not written down."""

import importlib
import pkgutil
from collections.abc import Callable

from rsc_snn.errors import UnknownNameError
from rsc_snn.experiments import tables
from rsc_snn.experiments.tables.context import Asked, Context

ALL = "all"
_PAPERS = ("table", "figure")
Lines = Callable[[Context], list[Asked]]


def table_functions() -> dict[str, Lines]:
    """Return place -> function: the paper's tables, its figures, then what goes beyond it."""
    names = [info.name for info in pkgutil.iter_modules(tables.__path__)]
    modules = {name: importlib.import_module(f"{tables.__name__}.{name}") for name in names}
    found: dict[str, Lines] = {
        name: module.lines for name, module in modules.items() if hasattr(module, "lines")
    }
    return {name: found[name] for name in sorted(found, key=_order)}


def is_papers(place: str) -> bool:
    """Whether a place is a table or figure of the paper."""
    return place.startswith(_PAPERS)


def chosen(names: list[str]) -> tuple[str, ...]:
    """Return the places of some names, in the order of the paper; "all" is all of them.

    Raises:
        UnknownNameError: nothing is called so.
    """
    known = table_functions()
    for name in names:
        if name != ALL and name not in known:
            raise UnknownNameError("table or figure", name, [*known, ALL])
    return tuple(known) if ALL in names else tuple(name for name in known if name in names)


def _order(name: str) -> tuple[int, str]:
    kind = next((position for position, kind in enumerate(_PAPERS) if name.startswith(kind)), len(_PAPERS))
    return kind, name
