"""Committed rows rebuild the tables of the lab log, so that neither can drift from the other.

Rows of the theory, which are of no run, are held to docs/theory.md in tests/theory; reproductions to
docs/reproduce.md and the demo's to the README in tests/report; those of the zoo to its cards in tests/zoo.
"""

from operator import attrgetter
from pathlib import Path

import pytest

from rsc_snn.report.certified_runs import certified_runs_table
from rsc_snn.report.page import find_runs, read_run
from rsc_snn.report.tables import paper_table, protocol_table
from rsc_snn.runs.reproduction import PLAN

ROOT = Path(__file__).parents[1]
ROWS, AUDIT = attrgetter("rows"), attrgetter("audit")
FOLDERS = sorted(path for path in (ROOT / "results").iterdir() if path.is_dir())
ELSEWHERE = ("theory.jsonl", PLAN)
RESULTS = [
    path
    for path in FOLDERS
    if not any(word in path.name for word in ("demo", "zoo"))
    and not any((path / name).is_file() for name in ELSEWHERE)
]


@pytest.mark.parametrize("folder", RESULTS, ids=lambda path: path.name)
def test_the_lab_log_says_what_the_rows_say(folder: Path) -> None:
    log = (ROOT / "docs" / "lab-log.md").read_text()
    assert folder.name in log
    found = list(map(read_run, find_runs(folder)))
    runs, audits = ({run.name: rows for run in found if (rows := pick(run))} for pick in (ROWS, AUDIT))
    certified = certified_runs_table({run.name: run.certificates for run in found})
    tables = [table for table in (paper_table(runs), protocol_table(runs, audits), certified) if table]
    assert tables
    for table in tables:
        for _, *cells in table.rows:
            assert f"| {' | '.join(cells)} |" in log
