"""How forward passes are made: their size, and whether the network is compiled."""

from collections.abc import Sequence
from dataclasses import dataclass

from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.certify import ROWS_PER_PASS
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs.certificate_schema import demand_of
from rsc_snn.runs.files import Row

COMPILE = ("auto", "on", "off")
_WORTH_COMPILING = 240.0  # seconds without it: twice what compiling takes on two slow cores


@dataclass(frozen=True, kw_only=True)
class Passes:
    """What rounding depends on, which may flip a spike, so that a run keeps it.

    Attributes:
        rows: (image, draw) pairs of a pass, >= 1.
        is_compiled: Whether the network is compiled; None if that is still open.
    """

    rows: int
    is_compiled: bool | None

    def settled(self, seconds: float, *, can_compile: bool) -> bool:
        """Return whether to compile: what was asked for, else by the time that the work takes without."""
        if self.is_compiled is not None:
            return self.is_compiled
        return can_compile and seconds > _WORTH_COMPILING


def asked_passes(rows: Sequence[Row], demand: Demand, rows_per_pass: int | None, compiled: str) -> Passes:
    """Return what earlier rows of the same demand settle, or else the options.

    Raises:
        RunFolderError: the options differ from earlier rows.
    """
    require_compile(compiled)
    is_compiled = {"on": True, "off": False}.get(compiled)
    earlier = next((row for row in rows if demand_of(row) == vars(demand)), None)
    if earlier is None:
        return Passes(rows=rows_per_pass or ROWS_PER_PASS, is_compiled=is_compiled)
    if rows_per_pass not in (None, earlier["rows_per_pass"]):
        _refuse(f"--rows {earlier['rows_per_pass']}", rows_per_pass)
    if is_compiled not in (None, earlier["compiled"]):
        _refuse(f"--compile {'on' if earlier['compiled'] else 'off'}", compiled)
    return Passes(rows=earlier["rows_per_pass"], is_compiled=earlier["compiled"])


def require_compile(compiled: str) -> None:
    """Raise InputError unless it is auto, on or off."""
    if compiled not in COMPILE:
        raise InputError(f"--compile takes {', '.join(COMPILE)}, got {compiled!r}")


def _refuse(earlier: str, given: object) -> None:
    raise RunFolderError(
        f"earlier rows were made with {earlier}, got {given}; leave the option out, or take another --seed"
    )
