"""What a cell is: it knows what it needs, what it takes, and computes itself."""

import shlex
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rsc_snn.experiments.cells.evidence import Evidence, weights_digest
from rsc_snn.experiments.cells.network import Network, digest_of
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import RUNS
from rsc_snn.spec import Spec

_KEY_LENGTH = 16


def say_nothing(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where cells compute.

    Args:
        folder: DIR of the reproduction; runs lie in DIR/runs.
        device: Any torch device, by its name.
        data_root: See ``rs.data.load``.
        compiled: "auto", "on" or "off", as for ``rsc-snn train --compile``.
        tell: Called with a few words about how far a cell is.
    """

    folder: Path
    device: str = "cpu"
    data_root: Path | None = None
    compiled: str = "auto"
    tell: Callable[[str], None] = field(default=say_nothing, compare=False)

    def run(self, network: Network) -> Path:
        """Run folder of a network."""
        return self.folder / RUNS / network.run

    def tell_images(self, done: int, total: int) -> None:
        """Say how many images are done."""
        self.tell(f"{done} of {total} images")


@dataclass(frozen=True, kw_only=True)
class AbstractCell(Spec):
    """One piece of work, computed once for all tables that ask for it.

    Cells of one run folder run one after another. What a cell has computed survives an interruption, and
    computing it again continues there.
    """

    @property
    def key(self) -> str:
        """What identifies the cell: a digest of its content."""
        return digest_of(self, _KEY_LENGTH)

    @property
    @abstractmethod
    def run(self) -> str:
        """Name of the folder in DIR/runs that gets its rows."""
        raise NotImplementedError

    @property
    @abstractmethod
    def what(self) -> str:
        """The cell in a line."""
        raise NotImplementedError

    @property
    def needs(self) -> tuple[Network, ...]:
        """Networks that must be trained before."""
        return ()

    @abstractmethod
    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """Return how long it will take, at most, from timed passes of its network."""
        raise NotImplementedError

    @abstractmethod
    def command(self, place: Place) -> list[str]:
        """Return the words after ``rsc-snn`` that do the same; none where there is no such command."""
        raise NotImplementedError

    @abstractmethod
    def compute(self, place: Place) -> None:
        """Do the work, or what an interruption left of it."""
        raise NotImplementedError

    @abstractmethod
    def num_rows(self, place: Place) -> int:
        """Count the rows that it has written."""
        raise NotImplementedError

    def evidence(self, place: Place) -> Evidence:
        """Return what is there of it: its rows, and the weights that they are about.

        A finished cell is done as long as this stays the same.
        """
        weights = [weights_digest(RunFolder(place.run(network)).weights) for network in self.needs]
        return {"rows": self.num_rows(place), "weights": weights}


def place_words(place: Place, *, is_compiling: bool = True) -> list[str]:
    """Return the options that a command needs to compute where this place does."""
    words = ["--compile", place.compiled] if is_compiling else []
    words += ["--data-root", str(place.data_root)] if place.data_root is not None else []
    return [*words, "--device", place.device]


def said(words: list[str]) -> str:
    """Return the words of a command as they are typed; empty for none."""
    return shlex.join(["rsc-snn", *words]) if words else ""
