"""The cell of Section 3.3: theorems and similarities, measured."""

from dataclasses import dataclass
from typing import ClassVar

from rsc_snn.data import data_root as find_root
from rsc_snn.experiments.cells.base import AbstractCell, Place
from rsc_snn.experiments.cells.evidence import Evidence, count_rows
from rsc_snn.experiments.cells.network import Network
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.runs.reproduction import RUNS, Rows
from rsc_snn.theory.run import present_names, run_theory

FOLDER = "theory"
_SECONDS = 60.0  # on two cores, whatever the networks


@dataclass(frozen=True, kw_only=True)
class Theorems(AbstractCell):
    """Measures Theorems 3.2 and 3.3, Proposition 3.4 and Observation 3.5; theory.jsonl.

    Args:
        network: Whose first layer is taken besides random ones; None takes random ones only.
        num_samples: Draws of each covariance.
        limit: Images of each data set.
        seed: Of everything random.
    """

    rows_file: ClassVar[str] = "theory.jsonl"

    network: Network | None = None
    num_samples: int = 20_000
    limit: int = 200
    seed: int = 0

    @property
    def run(self) -> str:
        """A folder that is no run."""
        return FOLDER

    @property
    def needs(self) -> tuple[Network, ...]:
        """The network whose first layer is taken, if any."""
        return () if self.network is None else (self.network,)

    @property
    def what(self) -> str:
        """What is verified."""
        return "theorems and similarities of Section 3.3"

    def rows(self) -> Rows:
        """Say where the rows stand."""
        return Rows(cell=self.key, run=self.run, file=self.rows_file, where={})

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """A minute."""
        return _SECONDS

    def command(self, place: Place) -> list[str]:
        """rsc-snn theory."""
        words = ["theory", *(w for network in self.needs for w in ("--run", str(place.run(network))))]
        words += ["--samples", str(self.num_samples), "--limit", str(self.limit), "--seed", str(self.seed)]
        words += ["--data-root", str(place.data_root)] if place.data_root is not None else []
        return [*words, "--out", str(place.folder / RUNS / FOLDER)]

    def compute(self, place: Place) -> None:
        """Measure everything anew."""
        run_theory(
            place.folder / RUNS / FOLDER,
            runs=[place.run(network) for network in self.needs],
            num_samples=self.num_samples,
            limit=self.limit,
            seed=self.seed,
            data_root=place.data_root,
        )

    def num_rows(self, place: Place) -> int:
        """Claims and similarities."""
        return count_rows(place.folder / RUNS / FOLDER / self.rows_file, {"seed": self.seed})

    def evidence(self, place: Place) -> Evidence:
        """The data sets that are here too: with another data root it is another measurement."""
        return {**super().evidence(place), "data": present_names(find_root(place.data_root))}
