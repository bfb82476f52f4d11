"""Compiled kernels in a training run: chosen, recorded, kept; and blocks that are computed twice."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rsc_snn.errors import InputError, NotCompiled, RunFolderError
from rsc_snn.networks import backend_of, set_backend
from rsc_snn.networks.compiling import can_compile
from rsc_snn.objectives import ERSCT
from rsc_snn.runs.folder import RunFolder
from rsc_snn.training import TrainedTeacher, backend, train
from rsc_snn.training.estimate import Estimate
from rsc_snn.training.recipe import Recipe
from tests.training.launch import ALONE, run
from tests.training.test_training import StopAt, tiny, weights


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Modules whose kernels were to be compiled; they are not, and get the plain backend as a sign."""
    modules: list[Any] = []

    def compile_kernels(module: Any, trial: Any, *, is_asked: bool) -> bool:
        set_backend(module, "plain")
        trial()
        modules.append(module)
        return True

    monkeypatch.setattr(backend, "compile_kernels", compile_kernels)
    monkeypatch.setattr(backend, "can_compile", lambda device: True)
    return modules


def taught(**changes: object) -> Recipe:
    """A student with a teacher that is as small."""
    teacher = TrainedTeacher(recipe=replace(tiny("ann"), num_steps=1))
    return replace(tiny("ersct", **changes), objective=ERSCT(teacher=teacher))


def recorded(run: Path) -> list[bool | None]:
    return [entry.get("compiled") for entry in json.loads((run / "environment.json").read_text())]


@pytest.mark.parametrize(("seconds", "expected"), [(239.0, 0), (241.0, 1)])
def test_long_runs_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Any], seconds: float, expected: int
) -> None:
    monkeypatch.setattr("rsc_snn.networks.compiling.can_compile", lambda device: True)
    monkeypatch.setattr(backend, "estimate", lambda *_, **__: Estimate(seconds, 0))
    train(tiny(epochs=1, warmup_epochs=0.0), tmp_path / "run")
    assert len(compiled) == expected
    assert recorded(tmp_path / "run") == [bool(expected)]


def test_a_run_keeps_what_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Any]
) -> None:
    recipe, place = tiny(), tmp_path / "run"
    with pytest.raises(RuntimeError, match="crash"):
        train(recipe, place, compiled="on", display=StopAt(3))
    assert recorded(place) == [True]
    with pytest.raises(RunFolderError, match="begun with --compile on, got off; leave the option out"):
        train(recipe, place, resume=True, compiled="off")
    monkeypatch.setattr(backend, "can_compile", lambda device: False)
    with pytest.raises(RunFolderError, match="begun with --compile on, and cpu has no compiler here"):
        train(recipe, place, resume=True)
    monkeypatch.setattr(backend, "can_compile", lambda device: True)
    result = train(recipe, place, resume=True)
    assert len(compiled) == 2
    assert backend_of(result) == "plain", "the sign of the fixture"
    assert recorded(place) == [True, None]


def test_teacher_and_average_are_computed_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Any]
) -> None:
    others: list[tuple[Any, str]] = []
    monkeypatch.setattr(backend, "set_backend", lambda module, name: others.append((module, name)))
    recipe = taught(epochs=1, warmup_epochs=0.0, ema_decay=0.5)
    result = train(recipe, tmp_path / "run", compiled="on")
    assert len(compiled) == 2, "the teacher's run and the student's"
    assert [name for _, name in others] == ["compiled", "compiled"]
    average, teacher = (module for module, _ in others)
    assert average.module is result
    assert isinstance(teacher, torch.nn.Module)
    assert teacher is not result


def test_a_compiler_that_fails_stops_only_who_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks of annotations cannot be compiled, so that in this process every attempt fails."""
    monkeypatch.setattr(backend, "can_compile", lambda device: True)
    recipe = tiny(epochs=1, warmup_epochs=0.0)
    with pytest.raises(InputError, match="cannot be compiled here .*mend the compiler"):
        train(recipe, tmp_path / "run", compiled="on")
    assert recorded(tmp_path / "run") == [None], "nothing is settled"
    monkeypatch.setattr(backend, "is_worth_compiling", lambda seconds, device: True)
    with pytest.warns(NotCompiled, match="cannot be compiled here"):
        result = train(recipe, tmp_path / "run", resume=True)
    assert backend_of(result) == "eager"
    assert recorded(tmp_path / "run") == [None, False]


def test_a_finished_run_needs_no_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Any]
) -> None:
    recipe = tiny(epochs=1, warmup_epochs=0.0)
    train(recipe, tmp_path / "run", compiled="on")
    monkeypatch.setattr(backend, "can_compile", lambda device: False)
    train(recipe, tmp_path / "run", resume=True)


def test_a_run_of_an_earlier_version_goes_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Any]
) -> None:
    recipe, place = tiny(), tmp_path / "run"
    with pytest.raises(RuntimeError, match="crash"):
        train(recipe, place, compiled="off", display=StopAt(3))
    (entry,) = json.loads((place / "environment.json").read_text())
    del entry["compiled"]
    (place / "environment.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(backend, "is_worth_compiling", lambda seconds, device: True)
    train(recipe, place, resume=True)
    assert compiled == []


def test_a_teacher_keeps_what_it_began_with(tmp_path: Path, compiled: list[Any]) -> None:
    recipe, place = taught(), tmp_path / "run"
    with pytest.raises(RuntimeError, match="crash"):
        train(recipe, place, display=StopAt(3))
    assert recorded(place / "teacher") == [False]
    train(recipe, place, compiled="on", resume=True)
    assert len(compiled) == 1, "the student"


def test_bad_choices_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--compile takes auto, on, off, got 'yes'"):
        train(tiny(), tmp_path / "run", compiled="yes")
    assert not (tmp_path / "run").exists()


def test_blocks_that_are_computed_twice_train_the_same_weights(tmp_path: Path) -> None:
    train(tiny(), tmp_path / "kept")
    train(tiny(recompute_blocks=True), tmp_path / "again")
    first, second = weights(tmp_path / "kept"), weights(tmp_path / "again")
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(torch.device("cpu")), reason="no C++ compiler")
def test_a_compiled_run_of_the_command_learns_the_same(tmp_path: Path) -> None:
    """In processes of their own. Rounding may flip a spike: losses agree, weights need not to the bit."""
    settings = ["training.epochs=1", "training.num_images=200", "training.num_validation=20"]
    settings += ["training.batch_size=20", "training.warmup_epochs=0.5"]
    settings += ["num_steps=2", "network.hidden_width=16"]
    command = [*ALONE, "train", "digits-vgg5-rsc0.1", "--device", "cpu"]
    command += [word for setting in settings for word in ("--set", setting)]
    losses = []
    for choice in ("on", "off"):
        place = tmp_path / choice
        run([*command, "--out", str(place), "--compile", choice])
        assert recorded(place) == [choice == "on"]
        losses.append(RunFolder(place).epoch_rows()[0]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    assert losses[0] < 2.4
