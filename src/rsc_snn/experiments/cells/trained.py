"""The cell that trains a network."""

from dataclasses import dataclass

from rsc_snn.experiments.cells.base import AbstractCell, Place
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
        seed = ["--seed", str(self.network.seed)]
        return ["train", self.network.recipe.name, *changes, *seed, "--out", str(place.run(self.network))]

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

    def is_there(self, place: Place) -> bool:
        """Whether there are weights."""
        return RunFolder(place.run(self.network)).weights.is_file()
