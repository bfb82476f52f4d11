"""What ``rsc-snn list tables`` and ``rsc-snn list claims`` show. Needs no torch."""

from collections.abc import Callable

from rsc_snn.paper.claim import Answer, Claim
from rsc_snn.paper.claims import CLAIMS
from rsc_snn.paper.places import PLACES
from rsc_snn.report.reproduction.place import PLACES as SHOWN

_MOST_LINES = 6  # of evidence; the first says how many there are

Lines = list[tuple[str, str]]


def _tables() -> Lines:
    papers = [(place.name, f"{place.shows} ({place.state})") for place in PLACES]
    ours = [
        (key, f"{place.words} (beyond the paper)") for key, place in SHOWN.items() if not place.is_of_paper
    ]
    return papers + ours


def _claims() -> Lines:
    return [(claim.id, _describe(claim, claim.answer())) for claim in CLAIMS]


def _describe(claim: Claim, answer: Answer) -> str:
    by = f" by {answer.measured_by}" if answer.measured_by else ""
    shown = answer.evidence[:_MOST_LINES]
    left = len(answer.evidence) - len(shown)
    more = [f"and {left} more"] if left else []
    return "\n".join([f"{answer.verdict}{by} ({claim.section})", claim.says, *shown, *more])


LISTS: dict[str, Callable[[], Lines]] = {"tables": _tables, "claims": _claims}
"""Of the paper, by kind: (name, lines of text). A claim: its verdict, what it says, and the evidence."""
