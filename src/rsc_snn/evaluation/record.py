"""Where the rows of an evaluation go."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rsc_snn.evaluation.lists import Judged
from rsc_snn.evaluation.splits import AbstractSplit
from rsc_snn.evaluation.summary import WORST
from rsc_snn.runs.candidates import join_candidates, keep_candidates, list_name
from rsc_snn.runs.environment import write_environment
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.folder import RunFolder


@dataclass
class Record:
    """Where the rows go; what they were made with is written before the first."""

    folder: RunFolder
    split: AbstractSplit
    environment: dict[str, Any]
    keeps_images: bool
    has_begun: bool = False

    def add(self, judged: list[Judged]) -> list[Row]:
        """Write what is new of a batch, images before rows, and return its rows."""
        subject = self.environment["subject"]
        rows = [{**row, **self.split.marks, "subject": subject} for part in judged for row in part.rows]
        if not rows:
            return []
        if not self.has_begun:
            write_environment(self.folder.environment, self.environment)
            self.has_begun = True
        if self.keeps_images:
            keep_candidates(self.split.candidates(self.folder), dict(_winners(part) for part in judged))
        append_rows(self.split.rows(self.folder), rows)
        return rows

    def close(self) -> None:
        """Put images that were written batch by batch, now or by a killed run, into one file."""
        join_candidates(self.split.candidates(self.folder))


def _winners(judged: Judged) -> tuple[str, tuple[Tensor, Tensor]]:
    found = [row["index"] for row in judged.rows if row["entry"] == WORST]
    indices = torch.tensor(found, dtype=torch.int64)
    return list_name(judged.rows[0]), (indices, judged.winners.cpu())
