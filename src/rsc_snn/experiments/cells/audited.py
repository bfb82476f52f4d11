"""The cell that audits a network."""

from dataclasses import dataclass

from rsc_snn.auditing.budget import budget_called
from rsc_snn.auditing.run import audit_run
from rsc_snn.experiments.cells.base import Place, place_words
from rsc_snn.experiments.cells.evidence import count_rows
from rsc_snn.experiments.cells.measured import AbstractMeasured
from rsc_snn.experiments.cells.network import Network
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Rows

EPS = 8 / 255


@dataclass(frozen=True, kw_only=True)
class Audited(AbstractMeasured):
    """Asks whether a network's robustness is real; rows go to audit.jsonl.

    Args:
        sources: Networks to transfer from.
        limit: Test images, from the first on.
        num_draws: Scoring draws.
        budget: "full" or "quick".
    """

    sources: tuple[Network, ...] = ()
    limit: int = 100
    num_draws: int = 20
    budget: str = "full"

    @property
    def needs(self) -> tuple[Network, ...]:
        """The subject and those whose images are transferred."""
        return (self.network, *self.sources)

    @property
    def what(self) -> str:
        """Audit, and of what."""
        return f"audit {self.network}"

    def rows(self) -> Rows:
        """Say where the rows stand."""
        draws = self.num_draws if self.network.recipe.coding.is_random else 1
        where = {"budget": self.budget, "seed": self.network.seed, "eps": EPS, "num_draws": draws}
        return Rows(cell=self.key, run=self.run, file="audit.jsonl", where=where)

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """A guide: the steps of its sweeps, each over the draws of a gradient."""
        budget = budget_called(self.budget)
        sweeps = (6 + len(budget.widths)) * budget.sweep_steps
        steps = budget.long_steps + (4 + len(budget.strengths) + len(self.sources)) * budget.steps + sweeps
        draws = budget.gradient_draws if self.network.recipe.coding.is_random else 1
        looks = (budget.queries + budget.samples) * draws
        per_image = steps * draws * probe.slope(self.network) + looks * probe.look(self.network)
        return per_image * probe.num_images(self.network, self.limit)

    def command(self, place: Place) -> list[str]:
        """rsc-snn audit."""
        words = ["audit", str(place.run(self.network)), "--budget", self.budget]
        words += [word for source in self.sources for word in ("--source", str(place.run(source)))]
        words += ["--draws", str(self.num_draws), "--limit", str(self.limit)]
        words += ["--seed", str(self.network.seed)]
        return [*words, *place_words(place, is_compiling=False)]

    def compute(self, place: Place) -> None:
        """Audit; an audit that was interrupted begins again."""
        audit_run(
            place.run(self.network),
            eps=EPS,
            sources=[place.run(source) for source in self.sources],
            num_draws=self.num_draws,
            budget=self.budget,
            seed=self.network.seed,
            limit=self.limit,
            device=place.device,
            data_root=place.data_root,
            on_check=lambda check, answer: place.tell(type(check).__name__),
        )

    def num_rows(self, place: Place) -> int:
        """Checks of this very audit."""
        return count_rows(RunFolder(place.run(self.network)).audit, self.rows().where)
