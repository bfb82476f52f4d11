"""What a cell of text says: a verdict, a number with its interval, a number, words. Needs no torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rsc_snn.report.tables import MISSING, Table


@dataclass(frozen=True)
class Light:
    """A verdict as people see it: never by a colour alone.

    Attributes:
        tone: "good", "doubtful", "bad" or "open", which judges nothing; the page has a colour for each.
        sign: One character that says the same without colour.
    """

    tone: str
    sign: str


_GOOD, _DOUBTFUL = Light("good", "\u2713"), Light("doubtful", "!")
_BAD = Light("bad", "\u2717")
LIGHTS = MappingProxyType(
    {
        "pass": _GOOD,
        "warn": _DOUBTFUL,
        "fail": _BAD,
        "failed": _BAD,
        "reproduced": _GOOD,
        "not reproduced": _BAD,
        "inconclusive": _DOUBTFUL,
        "no verdict": Light("open", "?"),
        "info": Light("open", "i"),
    }
)
COMPARED = ("reproduced", "not reproduced", "inconclusive")
_WORDS = "|".join(sorted(LIGHTS, key=len, reverse=True))
_VERDICT = re.compile(rf"({_WORDS})(?=$|[:;,]| \()")
_NUMBER = r"[<>~]?[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?:/\d+)?"
_PLAIN_NUMBER = re.compile(rf"{_NUMBER}(?: ?%)?(?: \([^()]*\))?")
_WITH_INTERVAL = re.compile(rf"({_NUMBER}) (\[{_NUMBER}, {_NUMBER}\]\*?)")
_LONG = 40  # characters of a cell that may wrap
_LONG_NAME = 24


@dataclass(frozen=True)
class Cell:
    """A cell in its parts; shown one after the other they are its text.

    Attributes:
        text: The text without a leading verdict and without a trailing interval.
        verdict: The leading verdict, a key of ``LIGHTS``; empty where there is none.
        interval: "[74.8, 89.4]", with the star of an extended one, or empty.
    """

    text: str
    verdict: str = ""
    interval: str = ""

    @property
    def light(self) -> Light | None:
        """Tone and sign of the verdict."""
        return LIGHTS.get(self.verdict)


def read_cell(text: str) -> Cell:
    """Take a cell apart."""
    if found := _WITH_INTERVAL.fullmatch(text):
        return Cell(found[1], interval=found[2])
    if found := _VERDICT.match(text):
        return Cell(text[found.end() :], verdict=found[1])
    return Cell(text)


@dataclass(frozen=True)
class Column:
    """How the cells below a head are set.

    Attributes:
        title: The head.
        kind: "number" (aligned at the right), "text", or "words" (long, may wrap).
    """

    title: str
    kind: str


def columns_of(table: Table) -> list[Column]:
    """Return how each column is set, from what stands in it."""
    return [
        Column(title, _kind([row[position] for row in table.rows]))
        for position, title in enumerate(table.columns)
    ]


def group_starts(table: Table) -> list[bool]:
    """Whether each row begins a group: rows with the same first cell, where some have more than one row."""
    names = [row[0] for row in table.rows]
    starts = [position == 0 or names[position - 1] != name for position, name in enumerate(names)]
    return [is_start and not all(starts) for is_start in starts]


def has_long_names(table: Table) -> bool:
    """Whether some cell of the first column is so long that the column has to wrap."""
    return any(len(row[0]) > _LONG_NAME for row in table.rows)


def _kind(cells: Sequence[str]) -> str:
    if max(map(len, cells), default=0) > _LONG:
        return "words"
    said = {cell for cell in cells if cell not in ("", MISSING)}
    return "number" if 2 * sum(map(is_number, said)) >= len(said) else "text"


def is_number(cell: str) -> bool:
    """Whether a cell is a number, alone or with an interval or a remark in brackets."""
    return bool(_PLAIN_NUMBER.fullmatch(cell) or _WITH_INTERVAL.fullmatch(cell))
