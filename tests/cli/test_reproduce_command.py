"""rsc-snn reproduce: bad input in one line, exit statuses, and a page with every table and figure."""

import re
from pathlib import Path

import pytest

from rsc_snn.cli.app import main
from rsc_snn.errors import InputError
from rsc_snn.experiments import budget
from rsc_snn.experiments.cells import Place, Trained
from tests.experiments.small_job import BUDGET

HEADINGS = [*(f"Table {number}" for number in range(1, 8)), *(f"Figure {number}" for number in (1, 2, 3))]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tabel3"], "unknown table, figure or question 'tabel3'; did you mean 'table3'?"),
        (["table3", "--budget", "larg"], "unknown budget 'larg'; known: paper, short, small, smoke"),
        (["table3", "--rows", "RSC0.1"], "unknown row 'RSC0.1'; did you mean 'RSC-0.1'?"),
        (["table3", "--rows", ","], "--rows expects row labels with commas, such as Direct,RSC-0.1, got ','"),
        (["table3", "--dataset", "cifar"], "unknown data set of the paper 'cifar'; did you mean 'cifar10'?"),
        (["table5", "--dataset", "imagenet"], "table5 has no row for --dataset imagenet"),
        (["table3", "--seeds", "0"], "seeds must be at least 1, got 0"),
        (["table3", "--limit", "0"], "limit must be at least 1, got 0"),
        (["table3", "--compile", "perhaps"], "--compile takes auto, on, off, got 'perhaps'"),
        (["table3", "--data-root", "nowhere"], "the data root 'nowhere' (--data-root) is not a folder"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *words]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"rsc-snn: {message}")
    assert told.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_without_its_root_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    words = ["table3", "--dataset", "imagenet", "--data-root", str(tmp_path / "data")]
    assert main(["reproduce", *words, "--out", str(tmp_path / "out")]) == 2
    assert "imagenet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_rows_of_another_schema_version_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reproduction.json").write_text('{"schema": 99, "places": []}')
    assert main(["report", str(tmp_path)]) == 2
    assert "is of schema 99, this version reads 1" in capsys.readouterr().err


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(budget._BUDGETS, "smoke", BUDGET)


@pytest.mark.usefixtures("tiny")
def test_a_table_leaves_a_page_and_a_second_call_computes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "table4", "--budget", "smoke", "--rows", "Direct", "--out", str(tmp_path)]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert re.search(r"3 cells to compute: about \d+ s", told)
    assert "3 cells computed\nreport: " in told
    page = (tmp_path / "report.html").read_text()
    for heading in HEADINGS:
        assert re.search(rf"<h\d[^>]*>{heading}\b", page), heading
    assert "in place of CIFAR-10 VGG-5" in page
    assert (
        "difference" not in re.sub(r"no (paper )?difference", "", page).lower()
        or "no paper difference" in page
    )
    assert main(words) == 0
    assert "everything was there\nreport: " in capsys.readouterr().out


@pytest.mark.usefixtures("tiny")
def test_a_failed_cell_is_status_1_and_stands_in_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(self: Trained, place: Place) -> None:
        raise InputError("the moon is full")

    monkeypatch.setattr(Trained, "compute", compute)
    words = ["reproduce", "table4", "--budget", "smoke", "--rows", "Direct", "--out", str(tmp_path)]
    assert main(words) == 1
    told = capsys.readouterr().out
    assert "failed: InputError: the moon is full" in told
    assert "0 cells computed, 3 failed" in told
    shown = re.sub(r"<[^>]*>", "", (tmp_path / "report.html").read_text())
    assert "its network failed (InputError: the moon is full)" in " ".join(shown.split())
