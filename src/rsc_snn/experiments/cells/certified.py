"""The cell that certifies a network."""

from dataclasses import dataclass

from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.run import certify_run
from rsc_snn.experiments.cells.base import Place, place_words
from rsc_snn.experiments.cells.evidence import count_rows
from rsc_snn.experiments.cells.measured import AbstractMeasured
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Rows


@dataclass(frozen=True, kw_only=True)
class Certified(AbstractMeasured):
    """Proves within which radius nothing changes the majority vote of a network with noise.

    Args:
        limit: Test images, from the first on.
        num_select: Draws that choose the class of an image.
        num_estimate: Draws that bound its probability.
        alpha: Probability that the certificate of an image is wrong, at most.
    """

    limit: int | None = None
    num_select: int = 100
    num_estimate: int = 100_000
    alpha: float = 0.001

    @property
    def what(self) -> str:
        """Certify, and what."""
        return f"certify {self.network}, {self.num_estimate:,} draws"

    def rows(self) -> Rows:
        """Say where the rows stand: certificates that were made in another way do not count."""
        where = {"seed": self.network.seed, "alpha": self.alpha, "target": None}
        where |= {"num_select": self.num_select, "num_estimate": self.num_estimate}
        name = "certificates.jsonl"
        return Rows(cell=self.key, run=self.run, file=name, where=where, limit=self.limit)

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """A pass for every draw."""
        num_draws = self.num_select + self.num_estimate
        return num_draws * probe.look(self.network) * probe.num_images(self.network, self.limit)

    def command(self, place: Place) -> list[str]:
        """rsc-snn certify."""
        words = ["certify", str(place.run(self.network)), "--samples", str(self.num_estimate)]
        words += ["--select", str(self.num_select), "--alpha", str(self.alpha), "--no-attack"]
        words += ["--limit", str(self.limit)] if self.limit is not None else []
        return [*words, "--seed", str(self.network.seed), *place_words(place)]

    def compute(self, place: Place) -> None:
        """Certify the images that have no row yet."""
        demand = Demand(
            num_select=self.num_select,
            num_estimate=self.num_estimate,
            alpha=self.alpha,
            seed=self.network.seed,
        )
        certify_run(
            place.run(self.network),
            demand,
            limit=self.limit,
            compiled=place.compiled,
            device=place.device,
            data_root=place.data_root,
            on_batch=place.tell_images,
        )

    def num_rows(self, place: Place) -> int:
        """Images that are certified so."""
        path = RunFolder(place.run(self.network)).certificates
        return count_rows(path, self.rows().where, self.limit)
