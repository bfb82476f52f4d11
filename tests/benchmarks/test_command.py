"""``rsc-snn benchmark`` from the command line to the page."""

from pathlib import Path

import pytest

from rsc_snn.cli.app import main
from rsc_snn.runs.files import read_environments, read_rows


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["benchmark", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.oracle
def test_a_quick_case_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found"
    given = ["neuron", "--quick", "--rounds", "2", "--threads", "1", "--device", "cpu", "--out", str(out)]
    assert main(["benchmark", *given]) == 0
    assert "at most 2 times the time of a ReLU" in capsys.readouterr().out
    rows = read_rows(out / "benchmark.jsonl")
    assert {"ours", "ReLU", "SpikingJelly", "snnTorch"} <= {row["side"] for row in rows}
    assert {tuple(row["settings"]["current"]) for row in rows} == {(4, 2, 4, 8, 8), (8, 2, 4, 8, 8)}
    assert all(row["quick"] and len(row["seconds"]) == 2 for row in rows)
    assert [row["outputs_checked"] for row in rows if row["side"] == "ReLU"] == [None, None]
    (entry,) = read_environments(out / "environment.json")
    assert entry["cases"] == ["neuron"]
    assert entry["device"]["threads"] == 1
    assert entry["peers"]["snnTorch"] is not None
    page = (out / "performance.md").read_text()
    assert "tiny sizes" in page
    assert "current 8x2x4x8x8" in page


def test_bad_input_is_told_in_one_line_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found"
    where = ["--device", "cpu", "--out", str(out)]
    assert "unknown benchmark 'neurons'; did you mean 'neuron'?" in complaint(["neurons", *where], capsys)
    assert "--rounds expects at least 1, got 0" in complaint(["--rounds", "0", *where], capsys)
    assert "--threads expects at least 1, got 0" in complaint(["--threads", "0", *where], capsys)
    assert "unknown benchmark" in complaint(["neuron", "all", *where], capsys)
    assert not out.exists()
    out.write_text("mine")
    assert "--out expects a folder, got the file" in complaint(["neuron", *where], capsys)
    assert out.read_text() == "mine"
