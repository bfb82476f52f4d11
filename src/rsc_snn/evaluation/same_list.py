"""Whether the worst cases of two runs are over the same list of attacks. Needs no torch."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rsc_snn.evaluation.flags import NOT_APPLICABLE, NOT_RUN
from rsc_snn.evaluation.summary import WORST
from rsc_snn.runs.files import Row

Settings = set[tuple[str, str]]

_EXPECTATION = re.compile(r"^Expectation\(of=(?P<of>.*), num_draws=\d+, loss='[^']*'\)$")
_TIME_AVERAGE = re.compile(r"TimeAverage\(width=(?P<fitted>[^)]*)\)")
_SOURCES = re.compile(r"sources=\((?P<fitted>.*)\), of=")


@dataclass(frozen=True)
class SameList:
    """What two lists of attacks have in common.

    Attributes:
        why_not: Why their worst cases cannot be compared; None if they can.
        notes: In what they differ all the same.
    """

    why_not: str | None = None
    notes: list[str] = field(default_factory=list)


def same_list(suite: str, first: Sequence[Row], second: Sequence[Row]) -> SameList:
    """Compare the entries of two lists, attack and gradient of each.

    The suite "reliable" fits three things to the network it attacks: gradients are averaged over noise draws
    where there is noise, the width of the time average is tuned, and the transfer has sources of its own.
    These differences, and entries that one list lacks, are notes; any other difference is a reason.

    Args:
        suite: Of both.
        first: Rows of one list (suite, budget, norm, eps and seed) of the first run.
        second: Of the second run.
    """
    ours, theirs = _settings(first), _settings(second)
    notes = [
        f"the worst case of suite {suite} includes {entry!r} in the {where} run only"
        for where, own, other in (("first", ours, theirs), ("second", theirs, ours))
        for entry in sorted(own.keys() - other.keys())
    ]
    may_be_fitted = _FITTED.get(suite, _nothing_fitted)
    for entry in ours:
        if entry not in theirs or ours[entry] == theirs[entry]:
            continue
        fitted = may_be_fitted(entry, ours[entry], theirs[entry])
        if fitted is None:
            return SameList(
                f"the worst case of suite {suite} is left out: its {entry} is "
                f"{in_words(ours[entry], theirs[entry])}"
            )
        notes += [f"the worst case of suite {suite}: {note}" for note in fitted]
    return SameList(None, list(dict.fromkeys(notes)))


def in_words(first: Settings, second: Settings) -> str:
    """Say what an entry is in either run."""
    shown = [
        " and ".join(sorted(f"{attack} by {path}" for attack, path in found)) for found in (first, second)
    ]
    return f"{shown[0]} in the first run and {shown[1]} in the second"


def settings_of(rows: Sequence[Row]) -> Settings:
    """Return every (attack, gradient) of an entry's rows."""
    return {(row["attack"], row["gradient"]) for row in rows}


def _settings(rows: Sequence[Row]) -> dict[str, Settings]:
    by_entry: dict[str, list[Row]] = {}
    for row in rows:
        if row["entry"] != WORST and not {NOT_RUN, NOT_APPLICABLE} & set(row["flags"]):
            by_entry.setdefault(row["entry"], []).append(row)
    return {entry: settings_of(found) for entry, found in by_entry.items()}


def _nothing_fitted(entry: str, first: Settings, second: Settings) -> list[str] | None:
    return None


def _reliable_fitted(entry: str, first: Settings, second: Settings) -> list[str] | None:
    """Return how an entry was fitted to two networks; None if it differs in other things too."""
    if len(first) != 1 or len(second) != 1:
        return None
    ((attack, gradient),), ((other_attack, other_gradient),) = first, second
    averaged = [_EXPECTATION.match(each) for each in (gradient, other_gradient)]
    notes = []
    if (averaged[0] is None) != (averaged[1] is None):
        where = "second" if averaged[0] is None else "first"
        notes.append(f"gradients are averaged over noise draws in the {where} run only")
        gradient, other_gradient = (
            each if match is None else match["of"]
            for each, match in zip((gradient, other_gradient), averaged, strict=True)
        )
    for kind, pattern, texts in (
        ("width", _TIME_AVERAGE, (gradient, other_gradient)),
        ("sources", _SOURCES, (attack, other_attack)),
    ):
        found = [pattern.search(text) for text in texts]
        if found[0] and found[1] and found[0]["fitted"] != found[1]["fitted"]:
            values = f"{found[0]['fitted']} in the first run and {found[1]['fitted']} in the second"
            notes.append(f"{kind} of {entry!r}: {values}")
    is_same = _without(attack, _SOURCES) == _without(other_attack, _SOURCES)
    is_same = is_same and _without(gradient, _TIME_AVERAGE) == _without(other_gradient, _TIME_AVERAGE)
    return notes if is_same else None


def _without(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub("", text)


_FITTED: Mapping[str, Callable[[str, Settings, Settings], list[str] | None]] = {"reliable": _reliable_fitted}
