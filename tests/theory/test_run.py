"""The files of ``run_theory``, the command and what the report makes of them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.axes import Axes
from safetensors.numpy import load_file
from torch import Tensor

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.report.theory import main_similarities, theory_sections, theory_tables
from rsc_snn.report.theory_pictures import read_pictures, similarity_picture
from rsc_snn.runs.files import Row, append_rows, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.theory import covariance
from rsc_snn.theory.covariance import output_covariance
from rsc_snn.theory.run import run_theory
from tests.helpers import small_classifier

QUICK: dict[str, Any] = {"num_samples": 2000, "limit": 4}
CLI = ["--samples", "2000", "--limit", "4"]


@pytest.fixture(scope="module", autouse=True)
def _only_embedded_images() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RSC_SNN_DATA", raising=False)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the theory on a run called "small"."""
    folder = tmp_path_factory.mktemp("theory")
    coding = rs.codings.RandomizedSmoothing(variance=0.1)
    rs.save(folder / "small", small_classifier(coding), data="digits")
    run_theory(folder / "out", runs=[folder / "small"], **QUICK)
    return folder


def rows_of(folder: Path) -> list[Row]:
    return RunFolder(folder).theory_rows()


def test_the_files_are_there_and_say_how_they_were_made(made: Path) -> None:
    rows = rows_of(made / "out")
    subjects = {row["subject"] for row in rows if row["part"] == "covariance"}
    assert "first layer of small" in subjects
    assert len(subjects) == 5
    (data,) = [row for row in rows if row["name"] == "data"]
    assert data["details"]["present"] == {"digits": 4}
    assert "cifar10" in data["note"]
    (entry,) = read_environments(made / "out" / "environment.json")
    assert (entry["seed"], entry["num_samples"]) == (0, 2000)
    assert set(entry["data"]) == {"digits"}
    assert len(entry["weights"]["small"]) == 16


def test_a_second_call_gives_the_same_rows_and_keeps_others(made: Path, tmp_path: Path) -> None:
    first = rows_of(made / "out")
    again = run_theory(tmp_path, **QUICK)
    assert again == [row for row in first if "small" not in row["subject"]]
    other = {**again[0], "name": "theorem-3.2: of an earlier call"}
    append_rows(tmp_path / "theory.jsonl", [other])
    changed = run_theory(tmp_path, seed=1, **QUICK)
    assert rows_of(tmp_path) == [other, *changed]
    assert all(row["seed"] == 1 for row in changed)
    assert changed[0]["value"] != again[0]["value"]


def test_the_pictures_are_the_codings(made: Path) -> None:
    sets, metadata = read_pictures(made / "out" / "theory-images.safetensors")
    pictures = sets["digits"]
    image = rs.data.load("digits").images[0]
    assert torch.equal(torch.from_numpy(pictures["clean, direct coding"]), image)
    assert set(pictures["Poisson, one step"].flatten().tolist()) == {0, 255}
    steps = {round(255 * k / 8) for k in range(9)}
    assert set(pictures["Poisson, mean over 8"].flatten().tolist()) <= steps
    assert metadata["digits"].startswith("test image 0, ")
    assert len(load_file(made / "out" / "theory-images.safetensors")) == len(pictures) == 6


def test_the_report_shows_both_parts(made: Path) -> None:
    folder = RunFolder(made / "out")
    figure, theorems = theory_sections(folder.theory_rows(), folder.theory_images)
    assert figure.title.startswith("Figure 2")
    assert [picture.png[:4] for picture in figure.pictures] == [b"\x89PNG"] * 2
    assert "digits" in figure.pictures[0].alt
    assert "different image" in figure.pictures[1].alt
    assert len(figure.tables[0].rows) == 9
    assert [len(table.columns) for table in theorems.tables] == [
        len(table.rows[0]) for table in theorems.tables
    ]
    claims = {row[0]: row for row in theorems.tables[0].rows}
    assert claims["3.2, Poisson"][1] == "5"
    assert theory_sections([], None) == []
    assert len(theory_sections(folder.theory_rows(), None)[0].pictures) == 1


def test_the_chart_has_both_kinds_of_randomized_smoothing(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str | None, float]] = []
    original = Axes.errorbar

    def errorbar(self: Axes, x: Any, y: Any, **options: Any) -> Any:
        drawn.append((options["label"], float(y[0])))
        return original(self, x, y, **options)

    monkeypatch.setattr(Axes, "errorbar", errorbar)
    rows = main_similarities(rows_of(made / "out"))
    picture = similarity_picture(rows)
    assert picture is not None
    facts = {
        (row["details"]["first"], row["details"]["second"], row["details"]["time"], i): row
        for row in rows
        for i in [row["details"]["is_centred"]]
    }
    for kind in ("RSC-I", "RSC-II"):
        assert f"{kind} 0.1: " in picture.alt
        for other in ("Poisson", "direct"):
            for is_centred in (False, True):
                row = facts[f"{kind} 0.1", other, "mean over 8 steps", is_centred]
                assert (f"{kind} - {other}", row["value"]) in drawn
                assert (f"{kind} - {other}, different image", row["details"]["control"][0]) in drawn


def test_the_words_beside_the_chart_have_the_numbers_of_the_rows(made: Path) -> None:
    rows = rows_of(made / "out")
    words = " ".join(theory_sections(rows, None)[0].words)
    for kind in ("uncentred", "centred"):
        (row,) = [
            r for r in rows if r["name"] == f"similarity: digits: RSC 0.1 and Poisson: one step: {kind}"
        ]
        control = f"{row['details']['control'][0]:.2f}"
        assert f"{row['value']:.2f} (digits; two different images {control})" in words
    assert "photograph" not in words


def test_the_report_needs_no_torch(made: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rsc_snn.runs.folder import RunFolder; "
        "from rsc_snn.report.theory import theory_sections; "
        f"folder = RunFolder(Path({str(made / 'out')!r})); "
        "assert theory_sections(folder.theory_rows(), folder.theory_images)[0].pictures; "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_worst_verdict_of_a_claim_is_shown(made: Path) -> None:
    rows = rows_of(made / "out")
    worse = [dict(row) for row in rows]
    worse[0].update(verdict="fail", value=7.25)
    assert worse[0]["name"] == "theorem-3.2: single pixels"
    (line,) = [line for line in theory_tables(worse)[0].rows if line[0] == "3.2, Poisson"]
    assert line[-3:] == ["7.25", "at most 5", "fail"]


def test_damaged_files_are_one_line(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "theory-images.safetensors"
    path.write_bytes(b"not pictures")
    with pytest.raises(RunFolderError, match="damaged"):
        read_pictures(path)
    with pytest.raises(RunFolderError, match="holds no coded images"):
        read_pictures(made / "small" / "weights.safetensors")
    row = rows_of(made / "out")[0]
    for change, message in (
        ({"verdict": "maybe"}, "expected one of pass, info, fail"),
        ({"part": "else"}, "expected one of covariance, similarity"),
        ({"curve": {"a": [[1, 2]]}}, "low, high"),
        ({"value": "high"}, "has value 'high'"),
    ):
        (tmp_path / "theory.jsonl").write_text(json.dumps({**row, **change}) + "\n")
        with pytest.raises(RunFolderError, match=message):
            rows_of(tmp_path)
    (tmp_path / "theory.jsonl").write_text(2 * (json.dumps(row) + "\n"))
    with pytest.raises(RunFolderError, match="repeats an earlier row"):
        rows_of(tmp_path)


def test_the_command_ends_with_0_and_prints_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["theory", "--out", str(tmp_path / "a"), "--samples", "5000", "--limit", "4"]) == 0
    out = capsys.readouterr().out
    assert "Claims of Section 3.3" in out
    assert "RSC 0.1 - Poisson" in out
    assert f"rows: {tmp_path / 'a' / 'theory.jsonl'}" in out


def test_the_command_ends_with_1_where_a_claim_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(weight: Tensor, pixels: Tensor, change: Tensor) -> Tensor:
        return output_covariance(weight, pixels * (1 - pixels) - change * (1 - 2 * pixels) - change**2)

    monkeypatch.setattr(covariance, "attacked_poisson_covariance", wrong)
    assert main(["theory", "--out", str(tmp_path / "a"), *CLI, "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"].split(":")[0] for row in rows if row["verdict"] == "fail"} >= {"theorem-3.2"}


CLAMP, CHANGE = "clamp-breaks-theorem-3.3: single pixels", "change-poisson: single pixels"
PAIR = "similarity: digits: RSC 0.1 and Poisson: one step: centred"
DETAILS = [
    *((CLAMP, name) for name in ("largest_shift", "largest_bias", "lowest_variance_ratio")),
    *((CLAMP, name) for name in ("highest_variance_ratio", "variance", "entries", "chance", "cases")),
    *((PAIR, name) for name in ("first", "second", "time", "is_centred", "interval", "control")),
    ("data", "present"),
    ("data", "missing"),
]


@pytest.mark.parametrize(("name", "detail"), DETAILS)
def test_a_row_without_a_detail_is_one_line(
    name: str, detail: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(made / "out")
    (row,) = [row for row in rows if row["name"] == name]
    path = tmp_path / "theory.jsonl"
    for change, message in (
        ({k: v for k, v in row["details"].items() if k != detail}, f"lacks details.{detail}; it is not"),
        ({**row["details"], detail: None}, f"has details.{detail} None; it is not"),
    ):
        changed = [{**each, "details": change} if each is row else each for each in rows]
        path.write_text("".join(f"{json.dumps(each)}\n" for each in changed))
        assert main(["report", str(tmp_path), "--out", str(tmp_path / "page")]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (CLAMP, {"value": None}, "has value None"),
        (CLAMP, {"threshold": None}, "has threshold None"),
        (PAIR, {"value": None}, "has value None"),
        (PAIR, {"control": [0.5]}, "has details.control [0.5], expected 3 numbers"),
        (PAIR, {"interval": [0.5, "x"]}, "has details.interval [0.5, 'x'], expected 2 numbers"),
        (CHANGE, {"cases": [1]}, "has details.cases[0] 1, expected fields"),
        (CHANGE, {"cases": [{"case": "a", "from_zero": 1.0}]}, "lacks details.cases[0].relative_change"),
        ("data", {"missing": [1]}, "has details.missing [1], expected names"),
    ],
)
def test_other_values_of_details_are_one_line(
    name: str, change: dict[str, Any], message: str, made: Path, tmp_path: Path
) -> None:
    (row,) = [row for row in rows_of(made / "out") if row["name"] == name]
    is_own = set(change) <= set(row)
    changed = {**row, **change} if is_own else {**row, "details": {**row["details"], **change}}
    (tmp_path / "theory.jsonl").write_text(json.dumps(changed) + "\n")
    with pytest.raises(RunFolderError) as caught:
        rows_of(tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samples", "10"], "--samples must be at least 1000"),
        (["--limit", "3"], "--limit must be at least 4"),
        (["--data-root", "nowhere"], "'nowhere' (--data-root) is not a folder"),
        (["--run", "nowhere"], "'nowhere' is not a run folder"),
        (["--out", __file__], "--out expects a folder"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkey = ["theory", "--out", str(tmp_path / "a"), *arguments]
    assert main(monkey) == 2
    captured = capsys.readouterr()
    assert message in captured.err.replace(str(Path.cwd()) + "/", "")
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_two_runs_of_one_name_are_refused(made: Path, tmp_path: Path) -> None:
    rs.save(tmp_path / "small", small_classifier(), data="digits")
    with pytest.raises(InputError, match="two runs are called 'small'"):
        run_theory(tmp_path / "out", runs=[made / "small", tmp_path / "small"], **QUICK)
