"""What a grid is, and who watches it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from rsc_snn.experiments.cells import AbstractCell, Place
from rsc_snn.experiments.grid.outcome import Outcome


class Watcher:
    """Is told what happens; this one does nothing."""

    def begun(self, cell: AbstractCell) -> None:
        """A cell starts, or was given to the cluster."""

    def told(self, cell: AbstractCell, words: str) -> None:
        """A cell says how far it is."""

    def ended(self, cell: AbstractCell, outcome: Outcome) -> None:
        """A cell has ended."""


class AbstractGrid(ABC):
    """Where cells run."""

    @abstractmethod
    def run(self, cells: Sequence[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:
        """Compute every cell, networks before what needs them; yield each outcome when it is known.

        Args:
            cells: In an order in which they can run one after another.
            place: Where runs lie.
            watcher: Is told what starts and how far it is.
        """
        raise NotImplementedError
