"""Formats of a report; a new one is a new file."""

from rsc_snn.errors import UnknownNameError
from rsc_snn.registry import discover
from rsc_snn.report.formats.base import AbstractFormat

__all__ = ["AbstractFormat", "format_named", "formats"]


def formats() -> dict[str, AbstractFormat]:
    """Return every format by the name that ``rsc-snn report --format`` takes."""
    found = [each() for each in discover(__name__, __path__, AbstractFormat).values()]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def format_named(name: str) -> AbstractFormat:
    """Return a format by its name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    known = formats()
    if name not in known:
        raise UnknownNameError("format", name, known)
    return known[name]
