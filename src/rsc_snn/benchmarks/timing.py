"""Taking turns: the sides of a comparison run one after the other in every round."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from rsc_snn.benchmarks.settings import Settings
from rsc_snn.runs.files import Row

Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the things that are compared.

    Attributes:
        name: Whose it is: "ours", a peer, "ANN".
        backend: How it computes; None where there is no choice.
        work: What is timed.
        is_checked: Whether its outputs were compared with ours first; None where they are not meant to be
            the same, as those of a non-spiking twin.
        facts: Further entries of its row.
    """

    name: str
    work: Work
    backend: str | None = None
    is_checked: bool | None = True
    facts: Row = field(default_factory=dict)


def seconds_of(work: Work, device: torch.device) -> float:
    """Return the seconds of a call, the device's part of it included."""
    _wait_for(device)
    started = time.perf_counter()
    work()
    _wait_for(device)
    return time.perf_counter() - started


def _wait_for(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def take_turns(works: Sequence[Work], *, rounds: int, device: torch.device) -> list[list[float]]:
    """Return the seconds of each work in each round.

    One round before the first warms up. Every round begins with another work, so that none always follows
    the same one.
    """
    found: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for position in range(len(works)):
            chosen = (position + number) % len(works)
            taken = seconds_of(works[chosen], device)
            if number > 0:
                found[chosen].append(taken)
    return found


def measured(case: str, what: Row, sides: Sequence[Side], settings: Settings) -> list[Row]:
    """Return a row per side.

    Args:
        case: Name of the case.
        what: What is computed: the same for all sides.
        sides: Who computes it.
        settings: Of the run.
    """
    found = take_turns([side.work for side in sides], rounds=settings.rounds, device=settings.place)
    return [make_row(case, what, side, seconds, settings) for side, seconds in zip(sides, found, strict=True)]


def make_row(case: str, what: Row, side: Side, seconds: Sequence[float], settings: Settings) -> Row:
    """Return the row of a side, with its seconds in each round."""
    return {
        "case": case,
        "settings": what,
        "quick": settings.is_quick,
        "side": side.name,
        "backend": side.backend,
        "seconds": [round(value, 6) for value in seconds],
        "median_seconds": round(statistics.median(seconds), 6),
        "peak_bytes": None,
        "outputs_checked": side.is_checked,
        "load_average": list(os.getloadavg()),
        **side.facts,
    }
