"""rsc-snn compare, list tables and list claims: what they print, without torch; mistakes get one line."""

import json
from pathlib import Path

import pytest
from scipy import stats

from rsc_snn.cli.app import main
from rsc_snn.evaluation.differences import mean_difference
from rsc_snn.paper.claims import CLAIMS
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.folder import RunFolder
from tests.cli.test_command import complaint, run_without_torch
from tests.evaluation.comparing import rows_of

FIRST, SECOND = [5] * 30 + [4] * 10, [3] * 20 + [5] * 20


def make_run(path: Path, rows: list[Row], *, data: str = "digits", schema: int = 1) -> Path:
    path.mkdir()
    RunFolder(path).write_spec({"schema": schema, "data": data, "classifier": {}})
    if rows:
        append_rows(path / "attacks.jsonl", rows)
    return path


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return make_run(tmp_path / "a", rows_of(FIRST)), make_run(tmp_path / "b", rows_of(SECOND))


def test_two_runs_are_compared_without_torch(runs: tuple[Path, Path]) -> None:
    done = run_without_torch(["compare", *map(str, runs)])
    assert done.returncode == 0, done.stderr
    assert f"A: {runs[0]}, B: {runs[1]}" in " ".join(done.stdout.split())  # long titles are wrapped
    assert "PGD (paper), single draw" in done.stdout
    assert done.stderr == ""


def test_json_holds_every_number(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A has all votes; B has 3 of 5, then all: no vote differs, single draws do."""
    assert main(["compare", *map(str, runs), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == [str(run) for run in runs]
    assert [(c["about"], c["measure"]) for c in found["comparisons"]] == [
        (about, measure) for about in ("clean", "attacked") for measure in ("single draw", "majority vote")
    ]
    share, vote = found["comparisons"][2:]
    expected = mean_difference([(a - b) / 5 for a, b in zip(FIRST, SECOND, strict=True)])
    assert share["difference"] == pytest.approx([expected.value, expected.low, expected.high])
    oracle = stats.ttest_rel([a / 5 for a in FIRST], [b / 5 for b in SECOND]).confidence_interval(0.95)
    assert share["student"] == pytest.approx([oracle.low, oracle.high])
    assert share["is_extended"]
    assert share["first"][0] == pytest.approx(190 / 200)
    assert share["eps"] == 8 / 255
    assert share["mcnemar_p"] is None
    assert (vote["only_first"], vote["only_second"], vote["mcnemar_p"]) == (0, 0, 1.0)


def test_runs_that_cannot_be_compared_get_one_clear_line(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = str(runs[0])
    other = {
        "empty": make_run(tmp_path / "empty", []),
        "cifar": make_run(tmp_path / "cifar", rows_of(SECOND), data="cifar10"),
        "labels": make_run(tmp_path / "labels", rows_of(SECOND, label=1)),
        "schema": make_run(tmp_path / "schema", rows_of(SECOND), schema=2),
        "images": make_run(tmp_path / "images", [{**r, "index": r["index"] + 99} for r in rows_of(SECOND)]),
        "damaged": make_run(tmp_path / "damaged", [{**rows_of([1])[0], "clean_counts": [9]}]),
        "older": make_run(tmp_path / "older", [{"index": 0, "label": 0, "correct": True}]),
    }
    messages = {
        "empty": "has no rows; make them with 'rsc-snn attack",
        "cifar": "is of data set digits, ",
        "labels": "the runs must be of the same test set",
        "schema": "has schema 2, this version reads 1",
        "images": "no scored entry in common; PGD: no image in common",
        "damaged": "line 1 of",
        "older": "it is not a row of this version",
    }
    for name, message in messages.items():
        assert message in complaint(["compare", first, str(other[name])], capsys), name
    assert "are the same run" in complaint(["compare", first, f"{first}/../a"], capsys)
    assert "'/nowhere' is not a run folder" in complaint(["compare", first, "/nowhere"], capsys)
    assert "Missing argument" in complaint(["compare", first], capsys)


def test_claims_and_tables_are_listed_without_torch() -> None:
    done = run_without_torch(["list", "claims"])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == [
        claim.id for claim in CLAIMS
    ]
    start = next(i for i, line in enumerate(lines) if line.split()[0] == "gain-of-58.91")
    assert "contradicted by the tables (Section 4.2)" in lines[start]
    assert "at most 37.28" in lines[start + 2]
    tables = run_without_torch(["list", "tables"]).stdout.splitlines()
    assert [line.split()[0] for line in tables if "(beyond the paper)" not in line] == [
        *(f"table{i}" for i in range(1, 8)),
        *(f"figure{i}" for i in range(1, 4)),
        "text",
    ]
    assert tables[3].endswith("(41 legible, 19 derived, 0 lost)")
