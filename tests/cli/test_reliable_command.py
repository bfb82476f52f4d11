"""The command with the reliable suite, sources and gradient paths: what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest

import rsc_snn as rs
from rsc_snn.attacks import APGD, L2, Transfer, suites
from rsc_snn.attacks.tuning import Tried, Tuned
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.cli.app import main
from rsc_snn.evaluation import tuning
from rsc_snn.gradients import AdaptiveSharpness, Expectation, TimeAverage
from rsc_snn.runs.candidates import read_candidates
from rsc_snn.runs.files import read_rows
from tests.cli.test_command import complaint
from tests.helpers import seeded, small_classifier

RSC = rs.codings.RandomizedSmoothing(variance=0.1)
FEW = ["--limit", "2", "--draws", "2", "--device", "cpu"]


def make(folder: Path, seed: int) -> Path:
    rs.save(folder, small_classifier(RSC, seed=seed), data="digits")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make(tmp_path / "run", 0)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists in a few steps, and a width that is found at once."""
    monkeypatch.setattr(
        suites, "_BUDGETS", {"full": suites._Budget(2, 3, 4), "quick": suites._Budget(1, 2, 3)}
    )
    found = Tuned(TimeAverage(width=0.35), (Tried(0.5, 0.1, 0.35),))
    monkeypatch.setattr(tuning, "tune_width", lambda *args, **options: found)


@pytest.mark.usefixtures("short")
def test_the_reliable_suite_with_two_sources_and_kept_images(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make(tmp_path / "one", 1), make(tmp_path / "two", 2)
    words = ["attack", str(run), "--suite", "reliable", "--budget", "quick", "--keep-images", *FEW]
    words += ["--source", str(one), "--source", str(two)]
    assert main([*words, "--json"]) == 0
    captured = capsys.readouterr()
    summaries = {summary["entry"]: summary for summary in json.loads(captured.out)}
    assert len(summaries) == 8
    assert {summary["budget"] for summary in summaries.values()} == {"quick"}
    assert summaries["APGD-CE"]["robust"] is None
    assert len(summaries["worst"]["robust"]) == 3
    assert "suite reliable is not reliable: the budget is quick; fewer than 20 scoring draws" in captured.err
    rows = read_rows(run / "attacks.jsonl")
    assert len(rows) == 8 * 2
    transfer = [row for row in rows if row["entry"] == "transfer"]
    assert all(row["flags"] != ["not-run"] for row in transfer)
    assert all("run='one'" in row["attack"] and "run='two'" in row["attack"] for row in transfer)
    (kept,) = read_candidates(run / "candidates.safetensors").values()
    assert kept[0].tolist() == [0, 1]
    assert kept[1].shape == (2, 1, 8, 8)
    assert main(words) == 0
    assert "worst case" in capsys.readouterr().out
    assert read_rows(run / "attacks.jsonl") == rows, "a second call computes nothing"


@pytest.mark.usefixtures("short")
def test_the_reliable_suite_in_l2(run: Path) -> None:
    words = ["attack", str(run), "--suite", "reliable", "--norm", "l2", "--eps", "0.5", "--seed", "4", *FEW]
    assert main([*words, "--budget", "full"]) == 0
    rows = read_rows(run / "attacks.jsonl")
    assert {(row["norm"], row["eps"], row["seed"], row["budget"]) for row in rows} == {("l2", 0.5, 4, "full")}
    assert all(row["l2"] <= 0.5 + 1e-5 for row in rows if row["entry"] == "worst")
    assert all(row["flags"] == ["not-run"] for row in rows if row["entry"] == "transfer")
    assert rows[0]["attack"] == repr(APGD(eps=0.5, norm=L2(), num_steps=2))


def test_attacks_by_name_take_sources_paths_and_draws(run: Path, tmp_path: Path) -> None:
    source = make(tmp_path / "source", 1)
    assert main(["attack", str(run), "--attack", "transfer", "--source", str(source), *FEW]) == 0
    path = ["--attack", "apgd", "--steps", "2", "--gradient", "adaptivesharpness", "--gradient-draws", "3"]
    assert main(["attack", str(run), *path, *FEW]) == 0
    rows = read_rows(run / "attacks.jsonl")
    attacks = {(row["attack"], row["gradient"]) for row in rows if row["attack"] != "worst"}
    gradient = Expectation(of=AdaptiveSharpness(), num_draws=3)
    assert attacks == {
        (repr(Transfer(sources=(source,))), "BPTT()"),
        (repr(APGD(num_steps=2)), repr(gradient)),
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "SOURCE"], "do not apply to suite paper"),
        (["--suite", "paper", "--source", "SOURCE"], "do not apply to suite paper"),
        (["--budget", "quick"], "do not apply to suite paper"),
        (["--suite", "reliable", "--budget", "x"], "unknown budget 'x'"),
        (["--suite", "reliable", "--budget", "quik"], "did you mean 'quick'?"),
        (["--suite", "reliable", "--steps", "5"], "do not apply to a suite"),
        (["--suite", "reliable", "--gradient", "timeaverage"], "do not apply to a suite"),
        (["--suite", "reliable", "--gradient-draws", "5"], "do not apply to a suite"),
        (["--suite", "reliable", "--source", "/nowhere"], "'/nowhere' is not a run folder"),
        (["--suite", "reliable", "--norm", "l2", "--eps", "100"], "at most 8 in l2, got 100"),
        (["--suite", "reliable", "--attack", "apgd"], "--attack excludes --suite"),
        (["--attack", "apgd", "--budget", "quick"], "--budget is for a suite"),
        (["--attack", "transfer"], "--attack transfer needs at least one --source RUN"),
        (["--attack", "apgd", "--source", "SOURCE"], "--source applies to --attack transfer and"),
        (["--attack", "transfer", "--source", "/nowhere"], "'/nowhere' is not a run folder"),
        (["--attack", "apgd", "--gradient-draws", "0"], "num_draws must be at least 1, got 0"),
        (["--suite", "reliable", "--source", "COLOURED"], "cannot stand in for the victim: images must be"),
        (["--attack", "transfer", "--source", "COLOURED"], "cannot stand in for the victim: images must be"),
        (["--suite", "reliable", "--source", "SOURCE", "--source", "FEW"], "has 4 classes, the victim 10"),
        (["--suite", "reliable", "--source", "UNFINISHED"], "has no weights.safetensors"),
    ],
)
def test_bad_combinations_get_one_clear_line_and_leave_nothing(
    words: list[str], message: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, shape, num_classes in (
        ("SOURCE", (1, 8, 8), 10),
        ("COLOURED", (3, 8, 8), 10),
        ("FEW", (1, 8, 8), 4),
    ):
        built = rs.networks.VGG5(hidden_width=16).build(
            num_classes=num_classes, image_shape=shape, generator=seeded(0)
        )
        rs.save(tmp_path / name, SpikingClassifier(built, RSC, 2))
    rs.save(tmp_path / "UNFINISHED", small_classifier())
    (tmp_path / "UNFINISHED" / "weights.safetensors").unlink()
    before = sorted(path for path in tmp_path.rglob("*") if path.name != ".lock")
    given = [str(tmp_path / word) if word.isupper() else word for word in words]
    assert message in complaint(["attack", str(run), *given, *FEW], capsys)
    assert sorted(path for path in tmp_path.rglob("*") if path.name != ".lock") == before
