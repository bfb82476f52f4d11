"""The cell of Table 4: images made on another network of the same kind, shown to the victim."""

from dataclasses import dataclass

from rsc_snn.attacks import FGSM, PGD, Entry, Suite, Transfer
from rsc_snn.experiments.cells.base import Place
from rsc_snn.experiments.cells.evidence import count_rows
from rsc_snn.experiments.cells.measured import AbstractEvaluated
from rsc_snn.experiments.cells.network import Network
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.gradients import BPTT
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Rows

SUITE = "black-box"
_SEARCHES = {"FGSM": FGSM, "PGD": PGD}


@dataclass(frozen=True, kw_only=True)
class Transferred(AbstractEvaluated):
    """FGSM and PGD of the paper's settings on a separately trained source; rows go to attacks.jsonl.

    Args:
        source: Whose gradients make the images.
        eps: Strength, l_inf, pixel units.
    """

    source: Network
    eps: float = 8 / 255

    @property
    def needs(self) -> tuple[Network, ...]:
        """Victim and source."""
        return (self.network, self.source)

    @property
    def what(self) -> str:
        """From whom, on whom."""
        return f"transfer from seed {self.source.seed} to {self.network}: FGSM, PGD"

    def rows(self, entry: str) -> Rows:
        """Say where the rows of "FGSM" or "PGD" stand."""
        where = {"suite": SUITE, "budget": "full", "seed": self.network.seed, "norm": "linf"}
        return Rows(
            cell=self.key,
            run=self.run,
            file="attacks.jsonl",
            where={**where, "eps": self.eps, "entry": entry},
            limit=self.limit,
        )

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """Eight gradients on the source and the scoring draws of victim and candidates."""
        looks = (3 + 2 * 5) * self.num_draws
        per_image = 8 * probe.slope(self.source) + looks * probe.look(self.network)
        return per_image * probe.num_images(self.network, self.limit)

    def command(self, place: Place) -> list[str]:
        """None: the command's transfer uses one search only."""
        return []

    def compute(self, place: Place) -> None:
        """Attack the images that have no rows yet."""
        source = place.run(self.source)
        entries = tuple(
            Entry(
                name=name,
                attack=Transfer(eps=self.eps, sources=(source,), of=search(eps=self.eps)),
                gradient=BPTT(),
            )
            for name, search in _SEARCHES.items()
        )
        self.evaluate(place, [Suite(name=SUITE, entries=entries)])

    def num_rows(self, place: Place) -> int:
        """Rows of both entries and of the worst case."""
        alike = {name: value for name, value in self.rows("").where.items() if name != "entry"}
        return count_rows(RunFolder(place.run(self.network)).attacks, alike, self.limit)
