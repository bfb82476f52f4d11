"""The checks of the audit. A new one is one new module in this folder."""

from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.registry import discover, examples

__all__ = ["AbstractCheck", "all_checks"]

globals().update(discover(__name__, __path__, AbstractCheck))


def all_checks() -> list[AbstractCheck]:
    """Return every check: first that of the network itself, then the five signs, then the rest, by name."""
    found = examples(__name__, __path__, AbstractCheck)
    return sorted(found, key=lambda check: (check.place, type(check).__name__))
