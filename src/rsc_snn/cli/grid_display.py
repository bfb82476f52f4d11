"""Cells as they run: a live table in a terminal, a line for each elsewhere."""

import contextlib
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rsc_snn.experiments.cells import AbstractCell
from rsc_snn.experiments.grid.base import Watcher
from rsc_snn.experiments.grid.outcome import Outcome
from rsc_snn.training.display import duration

_SHOWN = 12
_REFRESHES_PER_SECOND = 4


class GridDisplay(Watcher):
    """Keeps what every cell is doing.

    Args:
        console: Where it is shown.
    """

    def __init__(self, console: Console):
        self._console = console
        self._running: dict[str, tuple[AbstractCell, float, str]] = {}
        self._ended: list[tuple[str, Outcome]] = []
        self._num_all = 0

    def expect(self, left: Sequence[AbstractCell], num_done: int, cost: str) -> None:
        """Say what is to be done."""
        self._num_all = len(self._ended) + len(left)
        kept = f", {num_done} are there already" if num_done else ""
        self._console.print(f"{len(left)} cells to compute{kept}: {cost}", soft_wrap=True)

    def begun(self, cell: AbstractCell) -> None:
        """A cell starts."""
        self._running[cell.key] = (cell, time.monotonic(), "")

    def told(self, cell: AbstractCell, words: str) -> None:
        """A cell says how far it is."""
        _, started, _ = self._running[cell.key]
        self._running[cell.key] = (cell, started, words)

    def ended(self, cell: AbstractCell, outcome: Outcome) -> None:
        """A cell has ended; outside of a terminal it gets a line."""
        self._running.pop(cell.key, None)
        self._ended.append((cell.what, outcome))
        if not self._console.is_terminal:
            self._console.print(
                f"[{len(self._ended)}/{self._num_all}] {cell.what}: {_told(outcome)}", soft_wrap=True
            )

    def __rich__(self) -> Table:
        table = Table(
            show_edge=False, title=f"{len(self._ended)} of {self._num_all} cells", title_justify="left"
        )
        for name in ("cell", "state", "time"):
            table.add_column(name, overflow="fold")
        for what, outcome in self._ended[-_SHOWN:]:
            style = "green" if outcome.is_done else "red"
            table.add_row(what, Text(_told(outcome), style=style), duration(outcome.seconds))
        for cell, started, words in self._running.values():
            table.add_row(cell.what, words or "running", duration(time.monotonic() - started))
        return table


@contextlib.contextmanager
def watched(console: Console) -> Iterator[GridDisplay]:
    """Yield the display; a terminal shows it live."""
    display = GridDisplay(console)
    if not console.is_terminal:
        yield display
        return
    with Live(display, console=console, refresh_per_second=_REFRESHES_PER_SECOND):
        yield display


def _told(outcome: Outcome) -> str:
    if outcome.is_done:
        return f"done in {duration(outcome.seconds)}"
    return f"failed: {outcome.reason}"
