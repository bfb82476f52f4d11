"""How a cell ended, and the attempt that decides it."""

import time
from dataclasses import asdict, dataclass, replace

import torch

from rsc_snn.experiments.cells import AbstractCell, Place
from rsc_snn.experiments.cells.evidence import Evidence
from rsc_snn.runs.files import Row
from rsc_snn.runs.reproduction import DONE, FAILED

_ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a cell ended, as cells.jsonl tells it.

    Attributes:
        cell: Key.
        state: "done" or "failed".
        reason: Why it failed, in a line; None if it did not.
        seconds: Of all attempts.
        attempts: How often it was tried; 0 where what it needs had failed.
        device: Where it ran.
        evidence: What it left behind; None if it failed.
    """

    cell: str
    state: str
    reason: str | None
    seconds: float
    attempts: int
    device: str
    evidence: Evidence | None = None

    @property
    def is_done(self) -> bool:
        """Whether its rows are there."""
        return self.state == DONE

    def row(self) -> Row:
        """As a row of cells.jsonl."""
        return {**asdict(self), "seconds": round(self.seconds, 2)}


def attempted(cell: AbstractCell, place: Place) -> Outcome:
    """Compute a cell; what raises an exception is tried once more, and then has failed."""
    clock = time.perf_counter()
    reason = None
    for number in range(1, _ATTEMPTS + 1):
        try:
            cell.compute(place)
        except Exception as err:  # whatever a cell raises is told, and the others go on
            reason = f"{type(err).__name__}: {' '.join(str(err).split())}"
            continue
        return replace(_ended(cell, place, DONE, None, clock, number), evidence=cell.evidence(place))
    return _ended(cell, place, FAILED, reason, clock, _ATTEMPTS)


def _ended(
    cell: AbstractCell, place: Place, state: str, reason: str | None, clock: float, attempts: int
) -> Outcome:
    return Outcome(
        cell=cell.key,
        state=state,
        reason=reason,
        seconds=time.perf_counter() - clock,
        attempts=attempts,
        device=place.device,
    )


def not_tried(cell: AbstractCell, place: Place, reason: str) -> Outcome:
    """A cell whose network could not be trained."""
    return Outcome(cell=cell.key, state=FAILED, reason=reason, seconds=0.0, attempts=0, device=place.device)


def with_threads(number: int) -> None:
    """Let torch use so many threads: sums over other numbers of threads may round differently."""
    torch.set_num_threads(number)
