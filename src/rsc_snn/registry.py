"""Finding components: a package's modules are its list, so a new one is a new file and no edit."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from typing import TypeVar

from rsc_snn.spec import Spec

T = TypeVar("T")


def discover(package: str, path: Iterable[str], base: type[T]) -> dict[str, type[T]]:
    """Return the concrete, public subclasses of ``base`` that the modules of a package define.

    Args:
        package: Dotted name of the package.
        path: The package's ``__path__``.
        base: Abstract class that a component derives from.
    """
    found: dict[str, type[T]] = {}
    for info in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{info.name}")
        for name, value in vars(module).items():
            is_own = inspect.isclass(value) and value.__module__ == module.__name__
            if is_own and issubclass(value, base) and not name.startswith(("_", "Abstract")):
                found[name] = value
    return found


def examples(package: str, path: Iterable[str], base: type[T]) -> list[T]:
    """Return every component listed as an example (``EXAMPLES``) in the modules of a package.

    These are what the conformance tests run and what ``rsc-snn list`` shows.
    """
    found: list[T] = []
    for info in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{info.name}")
        found += [item for item in getattr(module, "EXAMPLES", ()) if isinstance(item, base)]
    return found


def summary_line(component: Spec | type[Spec]) -> str:
    """First line of a component's docstring."""
    doc = inspect.getdoc(component) or ""
    return doc.splitlines()[0] if doc else ""
