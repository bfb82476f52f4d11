"""Where the rows of an evaluation go."""

from dataclasses import dataclass
from typing import Any

import torch

from rsc_snn.evaluation.lists import Judged
from rsc_snn.evaluation.summary import WORST
from rsc_snn.runs.candidates import keep_candidates, list_name
from rsc_snn.runs.environment import write_environment
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.folder import RunFolder


@dataclass
class Record:
    """Where the rows go; what they were made with is written before the first."""

    folder: RunFolder
    environment: dict[str, Any]
    keeps_images: bool
    has_begun: bool = False

    def add(self, judged: list[Judged]) -> list[Row]:
        """Write what is new of a batch, images before rows, and return its rows."""
        subject = self.environment["subject"]
        rows = [{**row, "subject": subject} for part in judged for row in part.rows]
        if not rows:
            return []
        if not self.has_begun:
            write_environment(self.folder.environment, self.environment)
            self.has_begun = True
        if self.keeps_images:
            for part in judged:
                found = [row["index"] for row in part.rows if row["entry"] == WORST]
                winners = torch.tensor(found, dtype=torch.int64)
                keep_candidates(self.folder.candidates, list_name(part.rows[0]), winners, part.winners.cpu())
        append_rows(self.folder.attacks, rows)
        return rows
