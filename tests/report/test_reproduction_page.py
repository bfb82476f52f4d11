"""Documents hold the numbers of committed rows, so that neither can drift from the other."""

from pathlib import Path

import pytest

from rsc_snn.errors import InputError
from rsc_snn.report.page import find_runs, read_run
from rsc_snn.report.reproduction.document import MARK, with_rows
from rsc_snn.report.tables import paper_table
from rsc_snn.runs.reproduction import PLAN

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reproduce.md"
REPRODUCTIONS = sorted(path.parent for path in (ROOT / "results").glob(f"*/{PLAN}"))
DEMO = ROOT / "results" / "2026-11-23-demo-cpu"


@pytest.mark.usefixtures("unchecked")  # a million values: what they are is checked where sections are made
def test_the_page_says_what_the_rows_say() -> None:
    assert REPRODUCTIONS
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_rows(text, REPRODUCTIONS), (
        "make it anew: python -m rsc_snn.report.reproduction docs/reproduce.md "
        + " ".join(str(folder.relative_to(ROOT)) for folder in REPRODUCTIONS)
    )


def test_a_page_without_its_mark_is_refused() -> None:
    with pytest.raises(InputError, match="has no line"):
        with_rows("# A page\n", REPRODUCTIONS)


def test_what_stands_above_the_mark_stays() -> None:
    assert with_rows(f"# A page\n\n{MARK}old", []) == f"# A page\n\n{MARK}\n"


def test_the_readme_shows_the_rows_of_the_demo() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    runs = {run.name: run.rows for run in map(read_run, find_runs(DEMO))}
    table = paper_table(runs, eps=8 / 255)
    assert table is not None
    lines = [line.split() for line in readme.splitlines()]
    assert len(table.rows) == 5
    for row in table.rows:
        assert " ".join(row).split() in lines


def test_no_path_of_a_machine_stands_in_committed_rows() -> None:
    for folder in (*REPRODUCTIONS, DEMO):
        for path in folder.rglob("*.json*"):
            text = path.read_text(encoding="utf-8")
            assert '"/' not in text.replace('"/255', "")
            assert "/tmp/" not in text
