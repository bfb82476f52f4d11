"""Two processes do what one does, and survive what one survives."""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rsc_snn.runs.files import read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.schema import row_key
from tests.training.launch import (
    ALONE,
    has_rows,
    run,
    run_and_kill,
    run_and_signal,
    together,
    torchrun,
)

SETTINGS = {
    "num_steps": 2,
    "network.hidden_width": 64,
    "network.width_divisor": 4,
    "training.batch_size": 20,
    "training.num_images": 220,
    "training.num_validation": 20,
    "training.epochs": 2,
    "training.precision": "float64",
    "training.synchronise_norm": "true",
}
LONG = {
    "training__epochs": 4,
    "training__checkpoint_every": 3,
    "training__num_images": 420,
    "training__synchronise_norm": "false",  # each process has statistics of its own, and an average of them
    "training__ema_decay": 0.9,
}
TEACHER = {
    f"objective__teacher__recipe__{name}": value
    for name, value in {
        "network__hidden_width": 64,
        "network__width_divisor": 4,
        "training__batch_size": 20,
        "training__num_images": 220,
        "training__num_validation": 20,
        "training__epochs": 1,
        "training__warmup_epochs": 0,
        "training__precision": "float64",
        "training__synchronise_norm": "true",
    }.items()
}
LONGER = {**LONG, "training__epochs": 16, "training__num_images": 1220}


def train_command(recipe: str, out: Path, **settings: object) -> list[str]:
    chosen = {**SETTINGS, **{name.replace("__", "."): value for name, value in settings.items()}}
    words = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    return ["train", recipe, "--device", "cpu", "--out", str(out), *words]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "weights.safetensors")


def timeless(out: Path) -> list[dict[str, object]]:
    rows = read_rows(out / "training.jsonl")
    timed = ("seconds", "waiting_seconds", "images_per_second")
    return [{name: row[name] for name in row if name not in timed} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "recipe", "settings"),
    [
        (torchrun(2), "digits-vgg5-rsc0.1", {}),
        (
            together(2),
            "digits-vgg5-rsc2-0.1",
            {
                "objective": "SNNRAT",
                "objective.objective.is_crafted_in_eval_mode": "false",
                "training__accumulation_steps": 2,
                "training__ema_decay": 0.9,
            },
        ),
        (together(2), "digits-vgg5-ersct", TEACHER),
        (together(2), "digits-vgg5-rsc0.1-cons-smoothadv", {}),
    ],
    ids=[
        "plain",
        "adversarial, constrained, accumulated, averaged",
        "a teacher first",
        "draws compared, smoothed adversary",
    ],
)
def test_two_processes_give_the_weights_of_one(
    tmp_path: Path, launcher: tuple[str, ...], recipe: str, settings: dict[str, object]
) -> None:
    """20 steps in float64, batch normalisation synchronised, noise on: equal to 1e-10."""
    run([*ALONE, *train_command(recipe, tmp_path / "one", **settings)])
    run([*launcher, *train_command(recipe, tmp_path / "two", **settings)])
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=1e-10, msg=name)
    for row, other in zip(timeless(tmp_path / "one"), timeless(tmp_path / "two"), strict=True):
        assert row == pytest.approx(other, abs=1e-6)
    assert sum(row["num_train"] for row in read_rows(tmp_path / "two" / "training.jsonl")) == 400
    entries = json.loads((tmp_path / "two" / "environment.json").read_text())
    assert [entry["processes"] for entry in entries] == [2]


@pytest.mark.slow
def test_without_synchronised_statistics_the_weights_differ(tmp_path: Path) -> None:
    """So the comparison above can fail."""
    changed = {"training__synchronise_norm": "false"}
    run([*ALONE, *train_command("digits-vgg5-rsc0.1", tmp_path / "one", **changed)])
    run([*together(2), *train_command("digits-vgg5-rsc0.1", tmp_path / "two", **changed)])
    name = "network.layers.readout.weight"
    difference = (weights(tmp_path / "one")[name] - weights(tmp_path / "two")[name]).abs().max()
    assert difference > 1e-3


def kill_and_resume(
    folder: Path,
    command: list[str],
    num_kills: int,
    seed: int,
    *,
    longest: float,
    launcher: tuple[str, ...] = together(2),
) -> list[float]:
    """Kill a two-process run ``num_kills`` times, at random moments after it began to work; finish it."""
    chance, moments = random.Random(seed), []
    for _ in range(num_kills):
        before = state_of(folder)
        wait = chance.uniform(0.0, longest)
        assert run_and_kill([*launcher, *command, "--resume"], after_progress(folder, before, wait))
        moments.append(wait)
    run([*launcher, *command, "--resume"])
    return moments


def state_of(folder: Path) -> tuple[int, ...]:
    """What changes whenever the run saves something."""
    places = [RunFolder(folder).checkpoint, folder / "training.jsonl", folder / "attacks.jsonl"]
    return tuple(place.stat().st_mtime_ns if place.exists() else 0 for place in places)


def after_progress(folder: Path, before: tuple[int, ...], wait: float) -> Callable[[], bool]:
    started: list[float] = []

    def is_time() -> bool:
        if not started and state_of(folder) != before:
            started.append(time.monotonic())
        return bool(started) and time.monotonic() - started[0] >= wait

    return is_time


@pytest.mark.slow
def test_kill_9_three_times_and_resume_give_the_same_bits(tmp_path: Path) -> None:
    run([*together(2), *train_command("digits-vgg5-rsc0.1", tmp_path / "whole", **LONG)])
    command = train_command("digits-vgg5-rsc0.1", tmp_path / "killed", **LONG)
    kill_and_resume(tmp_path / "killed", command, 3, seed=int.from_bytes(b"kill"), longest=0.1)
    whole, killed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(killed[name], value) for name, value in whole.items())
    assert timeless(tmp_path / "killed") == timeless(tmp_path / "whole")
    assert [row["epoch"] for row in timeless(tmp_path / "killed")] == list(range(1, 5))
    assert not RunFolder(tmp_path / "killed").checkpoint.exists(), "a finished run needs none"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "number"),
    [(torchrun(2), signal.SIGTERM), (together(2), signal.SIGINT)],
    ids=["SIGTERM", "SIGINT"],
)
def test_a_signal_to_torchrun_saves_and_says_how_to_go_on(
    tmp_path: Path, launcher: tuple[str, ...], number: signal.Signals
) -> None:
    """SIGTERM reaches torchrun, which passes it on; Ctrl-C in a terminal reaches every process."""
    folder = tmp_path / "run"
    command = [*launcher, *train_command("digits-vgg5-rsc0.1", folder, **LONGER)]
    done = run_and_signal(command, RunFolder(folder).checkpoint.exists, number)
    assert done.returncode != 0
    assert done.stdout.count("saved; continue with: torchrun --nproc-per-node 2 -m rsc_snn train") == 1
    assert done.stderr.count(f"rsc-snn: stopped by {number.name}") == 1
    assert not (folder / "weights.safetensors").exists()
    state = torch.load(RunFolder(folder).checkpoint, weights_only=True)
    assert state["progress"]["epoch"] < 16


@pytest.mark.slow
def test_two_processes_attack_as_one_and_survive_a_kill(tmp_path: Path) -> None:
    run([*ALONE, *train_command("digits-vgg5-rsc0.1", tmp_path / "run")])
    (tmp_path / "other").symlink_to(tmp_path / "run")
    rows = {}
    for name, launcher in (("one", ALONE), ("two", together(2))):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("run.yaml", "environment.json", "weights.safetensors"):
            (folder / file).write_bytes((tmp_path / "run" / file).read_bytes())
        command = ["attack", str(folder), "--device", "cpu", "--draws", "3", "--limit", "100"]
        command += ["--batch-size", "16", "--eps", "4/255,8/255"]
        if launcher != ALONE:
            assert run_and_kill([*launcher, *command], has_rows(folder / "attacks.jsonl"))
            assert 0 < len(read_rows(folder / "attacks.jsonl")) < 600
        run([*launcher, *command])
        rows[name] = read_rows(folder / "attacks.jsonl")
    assert len(rows["two"]) == len({row_key(row) for row in rows["two"]}) == 600
    assert rows["two"] == rows["one"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training__batch_size": 21}, "2 processes cannot share passes of 21 images"),
        ({"num_steps": 0}, "num_steps must be >= 1, got 0"),
    ],
)
def test_bad_input_is_told_once(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    done = run([*together(2), *train_command("digits-vgg5-rsc0.1", tmp_path / "run", **settings)], status=1)
    lines = [line for line in done.stderr.splitlines() if line.startswith("rsc-snn:")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "run").exists()
