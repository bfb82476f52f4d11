"""Writing rows of the paper's tables down: legible cells, derived ones with how, lost ones as None."""

from collections.abc import Sequence
from dataclasses import dataclass

from rsc_snn.paper.number import Number, Status

COLUMNS = ("Clean", "FGSM", "PGD", "F-QTE", "P-QTE")
ATTACKED = ("FGSM", "PGD")
QTES = ("F-QTE", "P-QTE")
UNNAMED = "not legible"


@dataclass(frozen=True)
class Derived:
    """A number that cannot be read in its cell, but follows from something else.

    Attributes:
        value: The number.
        note: How it follows.
    """

    value: float
    note: str


@dataclass(frozen=True)
class Noted:
    """A number that can be read, with something to say about it."""

    value: float
    note: str


Cell = float | Derived | Noted | None


@dataclass(frozen=True)
class Block:
    """The rows of one network on one data set in one table.

    Attributes:
        place: The table.
        dataset: As in ``Number``.
        network: As in ``Number``.
    """

    place: str
    dataset: str
    network: str

    def row(
        self, method: str, *cells: Cell, columns: Sequence[str] = COLUMNS, lost: str = ""
    ) -> tuple[Number, ...]:
        """Return the numbers of a row.

        Args:
            method: Row label.
            cells: One for each column.
            columns: Their names.
            lost: The note of cells that are lost.
        """
        named = zip(columns, cells, strict=True)
        return tuple(self._number(method, column, cell, lost) for column, cell in named)

    def lost(self, method: str, note: str, columns: Sequence[str] = COLUMNS) -> tuple[Number, ...]:
        """Return a row of which nothing can be read."""
        return self.row(method, *[None] * len(columns), columns=columns, lost=note)

    def _number(self, method: str, column: str, cell: Cell, lost: str) -> Number:
        value, status, note = _read(cell, lost)
        return Number(
            place=self.place,
            dataset=self.dataset,
            network=self.network,
            method=method,
            column=column,
            value=value,
            status=status,
            note=note,
        )


def _read(cell: Cell, lost: str) -> tuple[float | None, Status, str]:
    if cell is None:
        return None, Status.LOST, lost
    if isinstance(cell, Derived):
        return cell.value, Status.DERIVED, cell.note
    if isinstance(cell, Noted):
        return cell.value, Status.LEGIBLE, cell.note
    return cell, Status.LEGIBLE, ""


def derived(note: str, *values: float) -> list[Derived]:
    """Return cells that all follow from the same source."""
    return [Derived(value, note) for value in values]
