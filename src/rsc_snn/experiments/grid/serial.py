"""One cell after another, in this process."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rsc_snn.experiments.cells import AbstractCell, Place
from rsc_snn.experiments.grid.base import AbstractGrid, Watcher
from rsc_snn.experiments.grid.outcome import Outcome, attempted, not_tried
from rsc_snn.experiments.plan import trainings_of


class SerialGrid(AbstractGrid):
    """Runs cells in their order."""

    def run(self, cells: Sequence[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:
        """Compute every cell; a cell whose network failed is not tried."""
        failed: dict[str, str] = {}
        for cell in cells:
            watcher.begun(cell)
            reason = next((failed[key] for key in trainings_of(cell) if key in failed), None)
            if reason is not None:
                outcome = not_tried(cell, place, f"its network failed ({reason})")
            else:
                told = replace(place, tell=lambda words, cell=cell: watcher.told(cell, words))  # type: ignore[misc]
                outcome = attempted(cell, told)
            if not outcome.is_done:
                failed[cell.key] = outcome.reason or ""
            yield outcome
