"""Compiled kernels in an evaluation: chosen by its length, written in its rows, kept beside them."""

from pathlib import Path
from typing import Any

import pytest
import torch

import rsc_snn as rs
from rsc_snn.attacks import PGD
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation import run as evaluation
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.networks.compiling import can_compile
from rsc_snn.runs.folder import RunFolder
from tests.helpers import small_classifier
from tests.training.launch import ALONE
from tests.training.launch import run as launch

RSC = rs.codings.RandomizedSmoothing(variance=0.1)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Modules whose kernels were to be compiled."""
    modules: list[Any] = []

    def compile_kernels(module: Any, trial: Any, *, is_asked: bool) -> bool:
        trial()
        modules.append(module)
        return True

    monkeypatch.setattr(evaluation, "compile_kernels", compile_kernels)
    return modules


def make(folder: Path) -> Path:
    rs.save(folder, small_classifier(RSC), data="digits")
    return folder


def choices_of(run: Path, **options: Any) -> set[bool]:
    found = evaluate_run(run, [PGD(num_steps=4)], **{"num_draws": 2, "limit": 4, "batch_size": 2, **options})
    return {row["compiled"] for row in found}


def test_long_evaluations_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Any]
) -> None:
    run = make(tmp_path / "run")
    assert choices_of(run) == {False}
    assert compiled == []
    monkeypatch.setattr(evaluation, "is_worth_compiling", lambda seconds, device: seconds > 0)
    assert choices_of(run, seed=1) == {True}
    assert len(compiled) == 1
    assert choices_of(run, limit=6) == {False}, "kept"
    assert len(compiled) == 1


def test_rows_keep_what_they_began_with(tmp_path: Path, compiled: list[Any]) -> None:
    run = make(tmp_path / "run")
    assert choices_of(run, compiled="on") == {True}
    assert choices_of(run, limit=6) == {True}
    assert len(compiled) == 2
    assert choices_of(run, limit=6, compiled="on") == {True}
    assert len(compiled) == 2, "nothing was left to do"
    with pytest.raises(RunFolderError, match="made with --compile on, got off; leave the option out"):
        choices_of(run, limit=8, compiled="off")
    with pytest.raises(InputError, match="--compile takes auto, on, off, got 'no'"):
        choices_of(run, compiled="no")


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(torch.device("cpu")), reason="no C++ compiler")
def test_a_compiled_attack_of_the_command_finds_the_same(tmp_path: Path) -> None:
    """In processes of their own; rounding may flip a spike of an image here and there."""
    counts = []
    for choice in ("on", "off"):
        run = make(tmp_path / choice)
        words = ["--attack", "PGD", "--steps", "3", "--draws", "5", "--limit", "24", "--compile", choice]
        launch([*ALONE, "attack", str(run), "--device", "cpu", *words])
        rows = [row for row in RunFolder(run).attack_rows() if row["entry"] != "worst"]
        assert [row["compiled"] for row in rows] == [choice == "on"] * 24
        counts.append(torch.tensor([row["adversarial_counts"] for row in rows]))
    is_different = (counts[0] != counts[1]).any(1)
    assert int(is_different.sum()) <= 4
    assert int((counts[0] > 0).any(0).sum()) > 1
