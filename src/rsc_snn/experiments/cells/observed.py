"""The cell that looks inside a network."""

from dataclasses import dataclass

from rsc_snn.experiments.cells.base import Place
from rsc_snn.experiments.cells.evidence import count_rows
from rsc_snn.experiments.cells.measured import AbstractMeasured
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.observing.run import observe_run
from rsc_snn.runs.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Observed(AbstractMeasured):
    """Keeps a few images and what neurons do with them; examples.safetensors and activity.jsonl.

    Args:
        limit: Test images over which firing rates are taken.
        num_examples: Images that are kept.
        num_draws: Draws that vote.
        eps: Strength of the attack, l_inf.
    """

    limit: int = 64
    num_examples: int = 6
    num_draws: int = 20
    eps: float = 8 / 255

    @property
    def what(self) -> str:
        """Look inside, of what."""
        return f"look inside {self.network}"

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """The attack and a few recordings of each image."""
        per_image = 8 * probe.slope(self.network) + 10 * probe.look(self.network)
        return per_image * probe.num_images(self.network, self.limit)

    def command(self, place: Place) -> list[str]:
        """None yet."""
        return []

    def compute(self, place: Place) -> None:
        """Record and write."""
        observe_run(
            place.run(self.network),
            limit=self.limit,
            num_examples=self.num_examples,
            num_draws=self.num_draws,
            seed=self.network.seed,
            eps=self.eps,
            device=place.device,
            data_root=place.data_root,
        )

    def num_rows(self, place: Place) -> int:
        """Rows of activity; none where the examples are missing."""
        folder = RunFolder(place.run(self.network))
        return count_rows(folder.activity, {}) if folder.examples.is_file() else 0
