"""A run folder under the suite "reliable": stopped and resumed, shared by two processes, its images kept."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import rsc_snn as rs
from rsc_snn.attacks import Suite, suites
from rsc_snn.attacks.tuning import Tried, Tuned
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation import tuning as chosen
from rsc_snn.evaluation.judge import collect_votes
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.gradients import Expectation, TimeAverage
from rsc_snn.runs.candidates import list_name, read_candidates
from rsc_snn.runs.files import Row, read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import save_weights
from tests.helpers import small_classifier
from tests.training.launch import ALONE, has_rows, run_and_kill, together
from tests.training.launch import run as run_command

pytestmark = pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")

RSC = rs.codings.RandomizedSmoothing(variance=0.1)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists in a few steps."""
    monkeypatch.setattr(
        suites, "_BUDGETS", {"full": suites._Budget(2, 3, 4), "quick": suites._Budget(1, 2, 3)}
    )


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of images of each search for the width, which comes to 0.35 at once."""
    calls: list[int] = []

    def search(classifier: Any, images: torch.Tensor, labels: torch.Tensor, **options: Any) -> Tuned:
        calls.append(len(images))
        return Tuned(TimeAverage(width=0.35), (Tried(0.5, 0.1, 0.35),))

    monkeypatch.setattr(chosen, "tune_width", search)
    return calls


def make(folder: Path, seed: int = 0) -> Path:
    rs.save(folder, small_classifier(RSC, seed=seed), data="digits")
    return folder


def evaluate(folder: Path, suite: Suite | list[Suite], **options: Any) -> list[Row]:
    return evaluate_run(folder, suite, **{"num_draws": 3, "limit": 8, "batch_size": 3, **options})


class StopError(Exception):
    pass


def stop_after(num_images: int) -> Callable[[int, int], None]:
    def on_batch(done: int, total: int) -> None:
        if done >= num_images:
            raise StopError

    return on_batch


def both(**options: Any) -> list[Suite]:
    return [rs.attacks.reliable(eps, budget="quick", **options) for eps in (4 / 255, 8 / 255)]


@pytest.mark.slow
@pytest.mark.usefixtures("short", "tuned")
def test_a_run_that_was_stopped_ends_with_the_same_rows_and_images(tmp_path: Path) -> None:
    source = make(tmp_path / "source", seed=1)
    whole, broken = make(tmp_path / "whole"), make(tmp_path / "broken")
    options: dict[str, Any] = {"keeps_images": True, "limit": 5, "batch_size": 2}
    expected = evaluate(whole, both(sources=(source,)), **options)
    assert len(expected) == 2 * 8 * 5
    for num_images in (2, 4):
        with pytest.raises(StopError):
            evaluate(broken, both(sources=(source,)), **options, on_batch=stop_after(num_images))
        with open(broken / "attacks.jsonl", "a") as file:
            file.write('{"suite":"reliable","budget":"qu')
    assert len(read_rows(broken / "attacks.jsonl")) == 2 * 8 * 4
    assert evaluate(broken, both(sources=(source,)), **options) == expected
    assert (broken / "attacks.jsonl").read_bytes() == (whole / "attacks.jsonl").read_bytes()
    images, others = (read_candidates(folder / "candidates.safetensors") for folder in (broken, whole))
    assert images.keys() == others.keys()
    for name, (indices, pixels) in images.items():
        assert torch.equal(indices, others[name][0])
        assert torch.equal(pixels, others[name][1])


def rescored(folder: Path, row: Row, seed: int) -> dict[int, list[int]]:
    """Votes for the images that were kept of a row's list, on the scoring draws of ``seed``."""
    indices, images = read_candidates(folder / "candidates.safetensors")[list_name(row)]
    labels = rs.data.load("digits").labels[indices]
    votes = collect_votes(
        rs.load(folder),
        images,
        labels,
        indices=indices,
        seed=seed,
        purpose="score",
        num_draws=row["num_draws"],
        draw_chunk=1,
    )
    return dict(zip(indices.tolist(), votes.counts.tolist(), strict=True))


def one_of_each(rows: list[Row]) -> list[tuple[float, Row]]:
    """Return each eps with a row of its list."""
    return list({row["eps"]: row for row in rows}.items())


@pytest.mark.slow
@pytest.mark.usefixtures("short", "tuned")
def test_images_that_were_kept_get_the_votes_of_their_rows(tmp_path: Path) -> None:
    folder = make(tmp_path / "run")
    rows = evaluate(folder, both(), keeps_images=True, num_draws=20, seed=5)
    worst = [row for row in rows if row["entry"] == "worst"]
    assert len(worst) == 16
    same, other = ({eps: rescored(folder, row, seed) for eps, row in one_of_each(worst)} for seed in (5, 6))
    for row in worst:
        assert same[row["eps"]][row["index"]] == row["adversarial_counts"]
    others = [other[row["eps"]][row["index"]] for row in worst]
    assert others != [row["adversarial_counts"] for row in worst], "so the comparison can fail"


@pytest.mark.slow
@pytest.mark.usefixtures("short", "tuned")
def test_more_images_later_are_kept_with_their_own_rows(tmp_path: Path) -> None:
    """The second call meets a batch of which some rows are there."""
    folder = make(tmp_path / "run")
    evaluate(folder, both(), keeps_images=True, limit=4, batch_size=6)
    first = read_candidates(folder / "candidates.safetensors")
    rows = evaluate(folder, both(), keeps_images=True, limit=9, batch_size=6)
    kept = read_candidates(folder / "candidates.safetensors")
    for name, (indices, images) in kept.items():
        assert indices.tolist() == list(range(9))
        assert len(images) == 9
        assert torch.equal(images[:4], first[name][1])
    worst = [row for row in rows if row["entry"] == "worst"]
    votes = {eps: rescored(folder, row, seed=0) for eps, row in one_of_each(worst)}
    assert len(worst) == 2 * 9
    for row in worst:
        assert votes[row["eps"]][row["index"]] == row["adversarial_counts"]


@pytest.mark.usefixtures("short")
def test_the_width_is_chosen_once_for_some_weights(tmp_path: Path, tuned: list[int]) -> None:
    folder = make(tmp_path / "run")
    rows = evaluate(folder, both()[:1], limit=1)
    assert tuned == [32]
    path = repr(Expectation(of=TimeAverage(width=0.35), num_draws=2))
    assert {row["gradient"] for row in rows if row["entry"] == "APGD-CE time average"} == {path}
    file = folder / "time-average.json"
    content = json.loads(file.read_text())
    assert (content["width"], content["num_images"], content["num_draws"]) == (0.35, 32, 5)
    evaluate(folder, both()[:1], limit=1, seed=1)
    assert tuned == [32], "it was read"
    evaluate(folder, both(time_average=TimeAverage(width=0.8))[:1], limit=1, seed=2)
    evaluate(folder, rs.attacks.paper(), limit=1)
    assert tuned == [32], "a width that was set, and a suite without one"
    widths = {row["gradient"] for row in read_rows(folder / "attacks.jsonl") if row["seed"] == 2}
    assert repr(Expectation(of=TimeAverage(width=0.8), num_draws=2)) in widths
    assert path not in widths
    save_weights(RunFolder(folder), small_classifier(RSC, seed=3))
    (folder / "attacks.jsonl").unlink()
    evaluate(folder, both()[:1], limit=1)
    assert tuned == [32, 32], "other weights"
    assert json.loads(file.read_text())["subject"] != content["subject"]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("text", ["{", "[]", '{"subject": 3}', '{"subject": 3, "width": "x"'])
def test_a_damaged_width_is_told(tmp_path: Path, tuned: list[int], text: str) -> None:
    folder = make(tmp_path / "run")
    (folder / "time-average.json").write_text(text)
    if text == '{"subject": 3}':
        evaluate(folder, both(), limit=1)
        assert tuned == [32], "it is about other weights"
        return
    with pytest.raises(RunFolderError, match="does not tell subject and width; remove it"):
        evaluate(folder, both(), limit=1)
    assert tuned == []


def test_the_images_that_choose_the_width_are_not_those_that_are_attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []

    def search(classifier: Any, images: torch.Tensor, labels: torch.Tensor, **options: Any) -> Tuned:
        seen.append(images)
        return Tuned(TimeAverage(width=0.5), (Tried(0.5, 0.1, 0.5),))

    monkeypatch.setattr(chosen, "tune_width", search)
    monkeypatch.setattr(suites, "_BUDGETS", {"quick": suites._Budget(1, 1, 1)})
    evaluate(make(tmp_path / "run"), both(), limit=1)
    test = {image.numpy().tobytes() for image in rs.data.load("digits").pixels()}
    assert not test & {image.numpy().tobytes() for image in seen[0]}


@pytest.mark.usefixtures("short", "unchecked")
def test_mistakes_are_told_before_any_work(tmp_path: Path, tuned: list[int]) -> None:
    folder = make(tmp_path / "run")
    dishonest = replace(rs.attacks.reliable(), entries=rs.attacks.reliable().entries[:5])
    with pytest.raises(InputError, match="cannot be called 'reliable'"):
        evaluate(folder, dishonest)
    with pytest.raises(InputError, match="must be a list or a suite, got a single attack"):
        evaluate(folder, rs.attacks.FGSM())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at most 8 in l2"):
        evaluate(folder, rs.attacks.reliable(100.0, norm=rs.attacks.L2()))
    assert tuned == []
    assert not (folder / "time-average.json").exists()


@pytest.mark.slow
def test_two_processes_do_what_one_does_and_survive_a_kill(tmp_path: Path) -> None:
    source = make(tmp_path / "source", seed=1)
    shorter = {
        "rsc_snn.attacks.suites._BUDGETS": {
            "full": suites._BUDGETS["full"],
            "quick": suites._Budget(4, 2, 20),
        }
    }
    rows = {}
    for name, launcher in (("one", ALONE), ("two", together(2))):
        folder = make(tmp_path / name)
        command = ["attack", str(folder), "--suite", "reliable", "--budget", "quick", "--source", str(source)]
        command += ["--device", "cpu", "--draws", "3", "--limit", "6", "--batch-size", "2", "--keep-images"]
        if launcher != ALONE:
            path = folder / "attacks.jsonl"
            assert run_and_kill([*launcher, *command], has_rows(path), changes=shorter)
            assert len(read_rows(path)) < 48
        run_command([*launcher, *command], changes=shorter)
        rows[name] = read_rows(folder / "attacks.jsonl")
    assert len(rows["one"]) == 48
    assert rows["two"] == rows["one"]
    one, two = (read_candidates(tmp_path / name / "candidates.safetensors") for name in rows)
    for name, (indices, images) in one.items():
        assert indices.tolist() == list(range(6))
        assert torch.equal(images, two[name][1])
