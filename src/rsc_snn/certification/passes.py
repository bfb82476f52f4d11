"""How forward passes are made: their size, and whether the neurons are compiled."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.certify import ROWS_PER_PASS
from rsc_snn.errors import RunFolderError
from rsc_snn.networks.compiling import asked_to_compile, choice_of, is_worth_compiling
from rsc_snn.runs.certificate_schema import demand_of
from rsc_snn.runs.files import Row


@dataclass(frozen=True, kw_only=True)
class Passes:
    """What rounding depends on, which may flip a spike, so that a run keeps it.

    Attributes:
        rows: (image, draw) pairs of a pass, >= 1.
        is_compiled: Whether the neurons are compiled; None if that is still open.
    """

    rows: int
    is_compiled: bool | None

    def settled(self, seconds: float, device: torch.device) -> bool:
        """Return whether to compile: what was asked for, else by the time that the work takes without."""
        return is_worth_compiling(seconds, device) if self.is_compiled is None else self.is_compiled


def asked_passes(rows: Sequence[Row], demand: Demand, rows_per_pass: int | None, compiled: str) -> Passes:
    """Return what earlier rows of the same demand settle, or else the options.

    Raises:
        RunFolderError: the options differ from earlier rows.
    """
    is_compiled = asked_to_compile(compiled)
    earlier = next((row for row in rows if demand_of(row) == vars(demand)), None)
    if earlier is None:
        return Passes(rows=rows_per_pass or ROWS_PER_PASS, is_compiled=is_compiled)
    if rows_per_pass not in (None, earlier["rows_per_pass"]):
        _refuse(f"--rows {earlier['rows_per_pass']}", rows_per_pass)
    if is_compiled not in (None, earlier["compiled"]):
        _refuse(f"--compile {choice_of(earlier['compiled'])}", compiled)
    return Passes(rows=earlier["rows_per_pass"], is_compiled=earlier["compiled"])


def _refuse(earlier: str, given: object) -> None:
    raise RunFolderError(
        f"earlier rows were made with {earlier}, got {given}; leave the option out, or take another --seed"
    )
