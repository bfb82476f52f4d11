"""Attacks on validation images: those that training kept back, in a file of their own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.data import Digits
from rsc_snn.errors import InputError, RunFolderError, UnknownNameError
from rsc_snn.evaluation.held_back import held_back
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.evaluation.splits import ValidationSplit, split_called
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.experiments.settings import with_settings
from rsc_snn.runs.files import Row, read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reduction import reduce_run
from rsc_snn.spec import to_data
from rsc_snn.training import Recipe, train
from rsc_snn.training.loop import Loop
from tests.helpers import small_classifier

SMALL = (
    "network.hidden_width=16",
    "network.width_divisor=4",
    "num_steps=2",
    "training.epochs=1",
    "training.num_images=200",
    "training.num_validation=40",
)
ATTACKS = [rs.attacks.paper(eps) for eps in (4 / 255, 8 / 255)]


def recipe(method: str = "rsc0.1", *more: str) -> Recipe:
    return with_settings(by_name(f"digits-vgg5-{method}"), (*SMALL, *more))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A run, and the indices of the images that its training saw."""
    folder, seen = tmp_path_factory.mktemp("trained") / "run", list[int]()
    complete = Loop.complete

    def recorded(self: Loop, images: Any, validation: Any) -> Any:
        seen.extend(images.indices.tolist())
        return complete(self, images, validation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "complete", recorded)
        train(recipe(), folder, seed=3, compiled="off")
    return folder, seen


@pytest.fixture
def run(trained: tuple[Path, list[int]], tmp_path: Path) -> Path:
    shutil.copytree(trained[0], tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def closed_test_set(monkeypatch: pytest.MonkeyPatch) -> None:
    load = Digits.load

    def guarded(self: Digits, split: Any, root: Path | None) -> Any:
        assert split != "test", "the test set was opened"
        return load(self, split, root)

    monkeypatch.setattr(Digits, "load", guarded)


def validate(run: Path, limit: int | None = None) -> list[Row]:
    options: dict[str, Any] = {"num_draws": 2, "batch_size": 8, "rows_per_pass": 16, "compiled": "off"}
    return evaluate_run(run, ATTACKS[1], split=ValidationSplit(), limit=limit, **options)


@pytest.mark.usefixtures("closed_test_set")
def test_rows_are_of_all_the_images_that_training_kept_back_and_of_no_other(
    run: Path, trained: tuple[Path, list[int]]
) -> None:
    rows = validate(run)
    used = rs.data.load("digits", split="train")
    assert {row["index"] for row in rows} == set(range(200)) - set(trained[1])
    assert all(row["label"] == int(used.labels[row["index"]]) for row in rows)
    assert all(row["split"] == "validation" for row in rows)
    assert len(rows) == 3 * 40
    assert read_rows(run / "validation.jsonl") == rows
    assert not (run / "attacks.jsonl").exists()
    entry = json.loads((run / "environment.json").read_text())[-1]
    assert entry["split"] == "validation"


@pytest.mark.usefixtures("closed_test_set")
def test_a_second_call_goes_on(run: Path) -> None:
    first = validate(run, limit=9)
    before = (run / "validation.jsonl").read_bytes()
    assert validate(run, limit=9) == first
    assert (run / "validation.jsonl").read_bytes() == before
    images = {row["index"] for row in first}
    assert len(images) == 9
    assert [row for row in validate(run, limit=16) if row["index"] in images] == first
    assert (run / "validation.jsonl").read_bytes().startswith(before)
    assert len(read_rows(run / "validation.jsonl")) == 3 * 16


def test_rows_of_the_two_splits_are_never_mixed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--limit", "8", "--draws", "2", "--device", "cpu", "--compile", "off"]
    assert main(["attack", str(run), "--split", "validation", *words]) == 0
    told = capsys.readouterr().out
    assert "validation images: for choices, not for results" in told
    assert "Validation images: " in told
    assert "Test images: " not in told
    kept = (run / "validation.jsonl").read_bytes()
    shutil.copytree(run, run.parent / "other")
    capsys.readouterr()
    assert main(["compare", str(run), str(run.parent / "other")]) == 2
    assert f"{str(run)!r} has no rows; make them with 'rsc-snn attack" in capsys.readouterr().err
    assert main(["report", str(run)]) == 0
    assert RunFolder(run).attack_rows() == []
    page = (run / "report.html").read_text()
    assert "FGSM" not in page, "a report shows no validation rows"
    assert main(["attack", str(run), *words]) == 0
    assert (run / "validation.jsonl").read_bytes() == kept
    assert all("split" not in row for row in RunFolder(run).attack_rows())

    with open(run / "attacks.jsonl", "ab") as file:
        file.write(kept)
    with pytest.raises(RunFolderError, match=r"line 25 .* is about validation images, expected test images"):
        RunFolder(run).attack_rows()
    capsys.readouterr()
    assert main(["attack", str(run), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    shutil.copy(run / "attacks.jsonl", run / "validation.jsonl")
    with pytest.raises(RunFolderError, match="is about test images, expected validation images"):
        validate(run)


def test_the_command_tells_which_runs_have_no_validation_images(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rs.save(tmp_path / "saved", small_classifier(), data="digits")
    environment = run / "environment.json"
    entries = json.loads(environment.read_text())
    entries[0]["data"]["train"] = "0" * 64
    other = tmp_path / "other"
    shutil.copytree(run, other)
    (other / "environment.json").write_text(json.dumps(entries))
    older = tmp_path / "older"
    shutil.copytree(run, older)
    del entries[0]["held_back"]
    (older / "environment.json").write_text(json.dumps(entries))
    reduced = tmp_path / "reduced"
    reduce_run(older, reduced)
    none = tmp_path / "none"
    shutil.copytree(run, none)
    text = (none / "run.yaml").read_text()
    (none / "run.yaml").write_text(text.replace("num_validation: 40", "num_validation: 0"))
    for folder, words in (
        (tmp_path / "saved", "was saved by hand, not trained"),
        (other, "was trained on other images than these (digits)"),
        (older, "does not tell which images its training kept back"),
        (reduced, "is a reduced network, as those of the zoo are, and its record does not tell"),
        (none, "its training keeps no images for validation"),
    ):
        assert main(["attack", str(folder), "--split", "validation", "--device", "cpu"]) == 2
        told = capsys.readouterr().err
        assert words in told
        assert told.count("\n") == 1
        assert not (folder / "validation.jsonl").exists()
    assert main(["attack", str(run), "--split", "valid"]) == 2
    assert "unknown split 'valid'; did you mean 'validation'?" in capsys.readouterr().err
    with pytest.raises(UnknownNameError, match="unknown split 'train'"):
        split_called("train")


TEACHER = "objective.teacher.recipe.training."
SAME = (f"{TEACHER}num_images=200", f"{TEACHER}num_validation=40")


@pytest.mark.parametrize(
    ("more", "is_refused"),
    [
        (SAME, False),
        ((SAME[0],), True),
        ((SAME[1],), True),
        ((*SAME, f"{TEACHER}num_validation=39"), True),
    ],
)
def test_a_teacher_must_not_have_seen_validation_images(more: tuple[str, ...], is_refused: bool) -> None:
    data = to_data(recipe("ersct0.1", *more))
    check: Callable[[], Any] = lambda: held_back(data, 3)  # noqa: E731
    if is_refused:
        with pytest.raises(InputError, match="the teacher may have seen validation images"):
            check()
        nested = to_data(
            recipe("ersct0.1-adv", *(word.replace("objective.", "objective.objective.") for word in more))
        )
        with pytest.raises(InputError, match="the teacher may have seen validation images"):
            held_back(nested, 3)
    else:
        assert check().num_validation == 40


def test_a_teacher_of_a_run_folder_is_asked_too(run: Path) -> None:
    student = to_data(recipe("ersct0.1", f"objective.teacher={{kind: SavedTeacher, run: {run}}}"))
    assert held_back(student, 3).seed == 3
    with pytest.raises(InputError, match="seed 3, itself without 40 of the first 200 .* seed 4"):
        held_back(student, 4)
