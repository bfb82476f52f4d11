"""A claim of the paper's text, and what its own tables say about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from rsc_snn.paper.number import Number
from rsc_snn.paper.numbers import all_numbers


class Verdict(StrEnum):
    """What the paper's numbers say about a claim."""

    HOLDS = "holds in the tables"
    CONTRADICTED = "contradicted by the tables"
    LOST = "cannot be checked: a number is lost or was never given"
    TO_MEASURE = "to be measured"


@dataclass(frozen=True)
class Answer:
    """A verdict with the numbers that decide.

    Attributes:
        verdict: See ``Verdict``.
        evidence: Sentences with the numbers.
        measured_by: What measures it: a table or figure, "theory" or "compare"; None where nothing is to be
            measured.
    """

    verdict: Verdict
    evidence: tuple[str, ...]
    measured_by: str | None = None


class Cells:
    """Looking numbers up.

    Args:
        numbers: Those of the paper.
    """

    def __init__(self, numbers: Iterable[Number]):
        self._values = {number.key: number.value for number in numbers}

    def __getitem__(self, key: tuple[str, str, str, str, str]) -> float | None:
        """Return a value, None where it is lost; a cell that does not exist is a KeyError."""
        return self._values[key]


@dataclass(frozen=True)
class Claim:
    """A claim that numbers can support or refute.

    Attributes:
        id: Name for it.
        section: Where the paper says so.
        says: The claim, in our words.
        check: Return the answer from the numbers.
    """

    id: str
    section: str
    says: str
    check: Callable[[Cells], Answer]

    def answer(self, numbers: Iterable[Number] | None = None) -> Answer:
        """Return what the paper's numbers, or ``numbers`` in their place, say."""
        return self.check(Cells(all_numbers() if numbers is None else numbers))
