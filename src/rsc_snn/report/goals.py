"""What the library aims at in speed and memory, and whether rows of a benchmark meet it. Needs no torch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rsc_snn.report.tables import Table
from rsc_snn.report.timings import (
    Ratio,
    groups_of,
    ratio_of_peaks,
    ratio_of_seconds,
    side_name,
    workload_name,
)
from rsc_snn.runs.files import Row

_ORACLE = "plain"
_FASTEST_FIRST = ("compiled", "eager", _ORACLE)  # goals are about the first that is there


@dataclass(frozen=True)
class Goal:
    """A bound of the ratio of two sides.

    Attributes:
        case: Whose rows.
        text: The claim; {} stands for the bound.
        other: The side that ours is compared with.
        other_backend: Its backend, where it has several; None for any.
        bound: Of the ratio.
        is_least: Whether theirs over ours is at least the bound; else ours over theirs is at most it.
        ratio: Of time or of memory.
        attack: Start of the name of an attack; None for every group of the case.
    """

    case: str
    text: str
    other: str
    bound: float
    is_least: bool
    other_backend: str | None = None
    ratio: Callable[[Row, Row], Ratio | None] = ratio_of_seconds
    attack: str | None = None

    def is_about(self, group: Sequence[Row]) -> bool:
        """Whether the goal speaks of these rows."""
        first = group[0]
        named = str(first["settings"].get("attack", ""))
        return first["case"] == self.case and (self.attack is None or named.startswith(self.attack))

    def measured(self, ours: Row, theirs: Row) -> Ratio | None:
        """Return the ratio that the bound is for; None where it was not measured."""
        return self.ratio(theirs, ours) if self.is_least else self.ratio(ours, theirs)

    def is_met(self, found: Ratio) -> bool:
        """Whether the median keeps the bound."""
        return found.value >= self.bound if self.is_least else found.value <= self.bound


_PEER = "torchattacks"
GOALS = (
    Goal("neuron", "at most {} times the time of a ReLU", "ReLU", 2.0, is_least=False),
    Goal("neuron", "at least {} times as fast as SpikingJelly", "SpikingJelly", 8.0, is_least=True),
    Goal("neuron", "at least {} times as fast as snnTorch", "snnTorch", 2.5, is_least=True),
    Goal("neuron", "at least {} times as fast as Norse", "Norse", 2.5, is_least=True),
    Goal("training", "at most {} times the time of the ANN", "ANN", 1.05, is_least=False),
    Goal("training", "at least {} times as fast as SpikingJelly", "SpikingJelly", 1.5, is_least=True),
    Goal("training", "at least {} times as fast as snnTorch", "snnTorch", 1.5, is_least=True),
    Goal(
        "training",
        "at most {} times the memory of SpikingJelly",
        "SpikingJelly",
        0.6,
        is_least=False,
        ratio=ratio_of_peaks,
    ),
    Goal("attacks", "at least {} times as fast as torchattacks", _PEER, 1.5, True, _ORACLE),
    Goal(
        "attacks",
        "at most {} times the memory of torchattacks",
        _PEER,
        1.0,
        is_least=False,
        other_backend=_ORACLE,
        ratio=ratio_of_peaks,
        attack="PGD over",
    ),
)


def goals_table(rows: Iterable[Row]) -> Table | None:
    """Return a line per goal and workload; None where no row is about a goal."""
    lines = [line for group in groups_of(rows) for line in _lines(group)]
    if not lines:
        return None
    columns = ("what", "ours", "goal", "measured", "met or missed")
    return Table("Goals", columns, lines)


def _lines(group: Sequence[Row]) -> Iterator[list[str]]:
    for goal in GOALS:
        if not goal.is_about(group):
            continue
        for theirs in _others(goal, group):
            for ours in _ours(group):
                found = goal.measured(ours, theirs)
                if found is not None:
                    yield [
                        f"{goal.case}: {workload_name(ours['settings'])}",
                        side_name(ours),
                        goal.text.format(f"{goal.bound:g}"),
                        str(found),
                        "met" if goal.is_met(found) else "missed",
                    ]


def _others(goal: Goal, group: Sequence[Row]) -> list[Row]:
    return [
        row for row in group if row["side"] == goal.other and goal.other_backend in (None, row["backend"])
    ]


def _ours(group: Sequence[Row]) -> list[Row]:
    """Rows of the backend that is meant to be the fastest of those that are there."""
    own = {row["backend"]: row for row in group if row["side"] == "ours"}
    best = next((backend for backend in _FASTEST_FIRST if backend in own), None)
    return [] if best is None else [own[best]]
