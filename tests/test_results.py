"""Committed rows rebuild the tables of the lab log, so that neither can drift from the other.

Rows of the theory, which are of no run, are held to docs/theory.md in tests/theory; reproductions to
docs/reproduce.md and the demo's to the README in tests/report; those of the zoo to its cards in tests/zoo.
"""

from operator import attrgetter
from pathlib import Path

import pytest

from rsc_snn.cli.searching import PAGE
from rsc_snn.evaluation.aims import Score, ranked
from rsc_snn.evaluation.summary import WORST, paper_qte, summarise
from rsc_snn.experiments.search.book import ROWS as SEARCH_ROWS
from rsc_snn.experiments.search.gaps import gaps_to_first
from rsc_snn.experiments.search.plan import plan_of
from rsc_snn.experiments.search.running import PLAN as SEARCH
from rsc_snn.report.certified_runs import certified_runs_table
from rsc_snn.report.formats.markdown import markdown
from rsc_snn.report.page import find_runs, read_run
from rsc_snn.report.ranking import ranking_table
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import paper_table, protocol_table
from rsc_snn.runs.files import read_rows
from rsc_snn.runs.folder import RunFolder, read_yaml
from rsc_snn.runs.reproduction import PLAN

ROOT = Path(__file__).parents[1]
ROWS, AUDIT = attrgetter("rows"), attrgetter("audit")
FOLDERS = sorted(path for path in (ROOT / "results").iterdir() if path.is_dir())
ELSEWHERE = ("theory.jsonl", PLAN, SEARCH)
SEARCHES = [path for path in FOLDERS if (path / SEARCH).is_file()]
TRIALS = sorted(path.parent for path in (ROOT / "results").glob("*-trials-cpu/*/validation.jsonl"))
RESULTS = [
    path
    for path in FOLDERS
    if not any(word in path.name for word in ("demo", "zoo", "trials"))
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


@pytest.mark.parametrize("folder", TRIALS, ids=lambda path: path.name)
def test_findings_say_what_the_validation_rows_of_a_trial_say(folder: Path) -> None:
    rows = RunFolder(folder).validation_rows()
    fgsm, pgd = (
        summarise([row for row in rows if row["entry"] == name and row["eps"] == 8 / 255])
        for name in ("FGSM", "PGD")
    )
    assert fgsm.num_images == pgd.num_images >= 500
    assert fgsm.clean == pgd.clean
    assert fgsm.robust is not None
    assert pgd.robust is not None
    said = " / ".join(f"{100 * found.value:.1f}" for found in (fgsm.clean, fgsm.robust, pgd.robust))
    findings = (ROOT / "docs" / "findings.md").read_text()
    assert f"| {said} (" in findings
    assert folder.parent.name in findings


@pytest.mark.parametrize("folder", SEARCHES, ids=lambda path: path.name)
def test_a_search_says_what_its_validation_rows_say(folder: Path) -> None:
    plan = plan_of(read_yaml(folder / SEARCH), SEARCH)
    rows = read_rows(folder / SEARCH_ROWS)
    assert [row["candidate"] for row in rows] == [candidate.label for candidate in plan.candidates]
    indices = set[tuple[int, ...]]()
    for row in rows:
        found = RunFolder(folder / "runs" / row["run"]).validation_rows()
        worst = [each for each in found if each["entry"] == WORST]
        summary = summarise(worst)
        for name, numbers in (
            ("clean", summary.clean),
            ("robust", summary.robust),
            ("qte", paper_qte(worst)),
        ):
            assert numbers is not None
            assert row[name] == pytest.approx(list(numbers))
        assert row["num_images"] == len(worst)
        indices.add(tuple(each["index"] for each in worst))
    assert len(indices) == 1, "candidates are compared on the same images"

    by_label = {row["candidate"]: row for row in rows}
    order = [by_label[score.label] for score in ranked(plan.objective, [Score.of(row) for row in rows])]
    gaps = gaps_to_first(order, plan.objective, folder)
    table = ranking_table(order, plan.objective, num_measured=len(rows), gaps=gaps)
    page = (folder / PAGE).read_text()
    assert page == markdown([Section(table.title, tables=[table])], level=1)
    log = (ROOT / "docs" / "lab-log.md").read_text()
    assert folder.name in log
    first = dict(zip(table.columns, table.rows[0], strict=True))
    for number in (first["clean %"], first["robust %"], first["QTE"]):
        assert number in log
