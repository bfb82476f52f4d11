"""The cell that attacks a network by a suite at some strengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsc_snn.attacks import RELIABLE, Suite, reliable
from rsc_snn.attacks.suites import FULL, PAPER
from rsc_snn.evaluation.estimate import passes_per_image
from rsc_snn.evaluation.plan import make_plan
from rsc_snn.experiments.cells.base import Place, place_words
from rsc_snn.experiments.cells.evidence import count_rows
from rsc_snn.experiments.cells.measured import AbstractEvaluated
from rsc_snn.experiments.cells.network import Network
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Rows


@dataclass(frozen=True, kw_only=True)
class Attacked(AbstractEvaluated):
    """Evaluates a network on its first test images; rows go to attacks.jsonl.

    Args:
        suites: One suite, at one or several eps.
        sources: Networks that the transfer of suite "reliable" takes.
    """

    suites: tuple[Suite, ...]
    sources: tuple[Network, ...] = ()

    @property
    def needs(self) -> tuple[Network, ...]:
        """The victim and those whose images are transferred."""
        return (self.network, *self.sources)

    @property
    def what(self) -> str:
        """Suite, strengths, network."""
        first = self.suites[0]
        label = first.name if first.budget == FULL else f"{first.name} {first.budget}"
        strengths = ", ".join(_in_255(eps) for eps in self._strengths)
        return f"attack {self.network}: suite {label}, eps {strengths}"

    @property
    def _strengths(self) -> list[float]:
        return [suite.entries[0].attack.eps for suite in self.suites]

    def rows(self, entry: str, *, eps: float) -> Rows:
        """Say where the rows of an entry stand."""
        suite = self.suites[0]
        where: dict[str, Any] = {"suite": suite.name, "budget": suite.budget, "seed": self.network.seed}
        where |= {"norm": suite.entries[0].attack.norm.name, "eps": eps, "entry": entry}
        return Rows(cell=self.key, run=self.run, file="attacks.jsonl", where=where, limit=self.limit)

    def expected_seconds(self, probe: Probe, place: Place) -> float:
        """Passes of all images, none of which is lost early."""
        is_random = self.network.recipe.coding.is_random
        pixels = 1
        for size in self.network.recipe.data.image_shape:
            pixels *= size
        plan = make_plan(
            self.suites,
            num_draws=self.num_draws,
            seed=0,
            is_random=is_random,
            num_pixels=pixels,
            batch_size=self.batch_size,
        )
        slopes, looks = passes_per_image(plan)
        per_image = slopes * probe.slope(self.network) + looks * probe.look(self.network)
        return per_image * probe.num_images(self.network, self.limit)

    def command(self, place: Place) -> list[str]:
        """rsc-snn attack, for the two suites that it knows."""
        first = self.suites[0]
        if first.name not in (PAPER, RELIABLE):
            return []
        words = ["attack", str(place.run(self.network)), "--suite", first.name]
        words += ["--budget", first.budget] if first.name == RELIABLE else []
        words += ["--eps", ",".join(_in_255(eps) for eps in self._strengths)]
        words += [word for source in self.sources for word in ("--source", str(place.run(source)))]
        words += ["--limit", str(self.limit)] if self.limit is not None else []
        words += ["--draws", str(self.num_draws), "--batch-size", str(self.batch_size)]
        words += ["--rows", str(self.rows_per_pass)] if self.rows_per_pass is not None else []
        return [*words, "--seed", str(self.network.seed), *place_words(place)]

    def compute(self, place: Place) -> None:
        """Attack the images that have no rows yet."""
        self.evaluate(place, self._with_sources(place))

    def _with_sources(self, place: Place) -> Sequence[Suite]:
        if not self.sources:
            return self.suites
        runs = [place.run(source) for source in self.sources]
        return [reliable(eps, runs, self.suites[0].budget) for eps in self._strengths]

    def num_rows(self, place: Place) -> int:
        """Rows of all entries at its strengths, and of the worst case."""
        found = self.rows("", eps=0.0)
        path = self.split.rows(RunFolder(place.run(self.network)))
        alike = {name: value for name, value in found.where.items() if name != "entry"}
        return sum(count_rows(path, {**alike, "eps": eps}, found.limit) for eps in self._strengths)


def _in_255(eps: float) -> str:
    return f"{round(255 * eps, 6):g}/255"
