"""The cell that trains a network."""

from dataclasses import dataclass

from rsc_snn.experiments.cells.base import AbstractCell, Place, place_words
from rsc_snn.experiments.cells.evidence import Evidence, count_rows, weights_digest
from rsc_snn.experiments.cells.network import Network
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.experiments.cells.telling import TellingDisplay
from rsc_snn.runs.folder import RunFolder
from rsc_snn.training import train


@dataclass(frozen=True, kw_only=True)
class Trained(AbstractCell):
    """Trains a network into its run folder.

    Args:
        network: What is trained.
    """

    network: Network

    @property
    def run(self) -> str:
        """The network's."""
        return self.network.run

    @property
    def what(self) -> str:
        """Train, and what."""
        return f"train {self.network}"

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """Steps times the seconds of one."""
        return probe.training(self.network)

    def command(self, place: Place) -> list[str]:
        """rsc-snn train."""
        changes = [word for setting in self.network.settings for word in ("--set", setting)]
        words = ["train", self.network.recipe.name, *changes, "--seed", str(self.network.seed)]
        return [*words, "--out", str(place.run(self.network)), *place_words(place)]

    def compute(self, place: Place) -> None:
        """Train, or go on from the last checkpoint."""
        train(
            self.network.recipe,
            place.run(self.network),
            seed=self.network.seed,
            resume=True,
            data_root=place.data_root,
            device=place.device,
            display=TellingDisplay(place.tell),
            compiled=place.compiled,
        )

    def num_rows(self, place: Place) -> int:
        """Epochs."""
        return count_rows(RunFolder(place.run(self.network)).training, {})

    def evidence(self, place: Place) -> Evidence:
        """Its own weights too."""
        weights = weights_digest(RunFolder(place.run(self.network)).weights)
        return {"rows": self.num_rows(place), "weights": [weights]}
