"""The cell that attacks a network on images that its training kept back."""

from dataclasses import dataclass, replace
from typing import ClassVar

from rsc_snn.evaluation.splits import AbstractSplit, ValidationSplit
from rsc_snn.evaluation.summary import WORST
from rsc_snn.experiments.cells.attacked import Attacked
from rsc_snn.experiments.cells.base import Place
from rsc_snn.runs.files import Row
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Rows


@dataclass(frozen=True, kw_only=True)
class Validated(Attacked):
    """Evaluates a network on its first validation images, by one suite; rows go to validation.jsonl."""

    split: ClassVar[AbstractSplit] = ValidationSplit()

    @property
    def what(self) -> str:
        """As of any attack, and on which images."""
        return f"{super().what}, {self.split.name} images"

    def rows(self, entry: str, *, eps: float) -> Rows:
        """Say where rows stand; images keep their index in the training set, which ``limit`` is not about."""
        found = super().rows(entry, eps=eps)
        return replace(found, file="validation.jsonl", limit=None)

    def command(self, place: Place) -> list[str]:
        """rsc-snn attack --split validation."""
        verb, run, *options = super().command(place)
        return [verb, run, "--split", self.split.name, *options]

    def worst(self, place: Place) -> list[Row]:
        """Return the worst case of the suite's first strength on each of its images, in order."""
        where = self.rows(WORST, eps=self._strengths[0]).where
        rows = RunFolder(place.run(self.network)).validation_rows()
        found = [row for row in rows if all(row[name] == value for name, value in where.items())]
        return sorted(found, key=lambda row: int(row["index"]))[: self.limit]
