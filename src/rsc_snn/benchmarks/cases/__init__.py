"""The cases of ``rsc-snn benchmark``. A new one is one new module in this folder."""

from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.errors import UnknownNameError
from rsc_snn.registry import discover


def all_cases() -> list[AbstractCase]:
    """Return the cases in the order of the page."""
    found = discover(__name__, __path__, AbstractCase).values()
    return sorted((cls() for cls in found), key=lambda case: case.position)


def case_by_name(name: str) -> AbstractCase:
    """Return a case.

    Raises:
        UnknownNameError: no case is called so.
    """
    known = {case.name: case for case in all_cases()}
    if name not in known:
        raise UnknownNameError("benchmark", name, known)
    return known[name]
