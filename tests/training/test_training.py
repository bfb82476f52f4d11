"""Training: resumed runs are bit-identical, rows are complete, folders are safe."""

import functools
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import rsc_snn as rs
from rsc_snn.errors import DamagedCheckpoint, DivergedError, InputError, RunFolderError
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.runs.files import read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.training import Recipe, Training, train
from rsc_snn.training.checkpoint import Progress
from rsc_snn.training.display import SilentDisplay
from tests.training.launch import ALONE, run, run_and_kill, run_and_signal


def tiny(method: str = "rsc0.1", **changes: object) -> Recipe:
    recipe = by_name(f"digits-vgg5-{method}")
    settings = {"epochs": 2, "num_images": 200, "num_validation": 20, "batch_size": 30, "checkpoint_every": 2}
    training = replace(recipe.training, **{**settings, **changes})  # type: ignore[arg-type]
    return replace(recipe, training=training, network=rs.networks.VGG5(hidden_width=16), num_steps=2)


class StopAt(SilentDisplay):
    """Raises after a number of steps, as a crash would."""

    def __init__(self, num_steps: int):
        self.left = num_steps

    def is_due(self) -> bool:
        return True

    def step(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("crash")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def timeless(folder: Path) -> list[dict[str, object]]:
    rows, timed = read_rows(folder / "training.jsonl"), ("seconds", "waiting_seconds", "images_per_second")
    return [{name: row[name] for name in row if name not in timed} for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Trains a method without a crash, once for all tests of it."""

    @functools.cache
    def trained(method: str) -> Path:
        place = tmp_path_factory.mktemp("whole") / method
        train(tiny(method), place, seed=3)
        return place

    return trained


@pytest.mark.parametrize(
    ("method", "num_steps"),
    [*(("rsc0.1", num_steps) for num_steps in (1, 3, 6, 7, 11)), ("rsc0.1-cons-smoothadv", 7)],
)
def test_a_crash_anywhere_and_a_resume_give_the_same_bits(
    tmp_path: Path, whole: Callable[[str], Path], method: str, num_steps: int
) -> None:
    recipe = tiny(method)
    with pytest.raises(RuntimeError, match="crash"):
        train(recipe, tmp_path / "broken", seed=3, display=StopAt(num_steps))
    assert not (tmp_path / "broken" / "weights.safetensors").exists()
    train(recipe, tmp_path / "broken", seed=3, resume=True)
    first, second = weights(whole(method)), weights(tmp_path / "broken")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert timeless(whole(method)) == timeless(tmp_path / "broken")


def test_seeds_matter_and_repeat(tmp_path: Path) -> None:
    results = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(tiny(epochs=1, warmup_epochs=0.5), tmp_path / name, seed=seed)
        results.append(weights(tmp_path / name)["network.layers.readout.weight"])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_the_global_random_state_is_left_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    train(tiny(epochs=1, warmup_epochs=0.0), tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_kill_9_in_the_middle_and_resume_give_the_same_bits(tmp_path: Path) -> None:
    settings = ["training.epochs=3", "training.num_images=300", "training.num_validation=20"]
    settings += [
        "training.batch_size=20",
        "training.checkpoint_every=3",
        "num_steps=2",
        "network.hidden_width=16",
    ]
    command = [*ALONE, "train", "digits-vgg5-rsc0.1", "--device", "cpu"]
    command += [word for setting in settings for word in ("--set", setting)]
    run([*command, "--out", str(tmp_path / "whole")])
    broken = tmp_path / "broken"
    assert run_and_kill([*command, "--out", str(broken)], RunFolder(broken).checkpoint.exists)
    assert RunFolder(broken).checkpoint.exists()
    assert not (broken / "weights.safetensors").exists(), "it was killed too late to prove anything"
    run([*command, "--out", str(broken), "--resume"])
    assert (broken / "weights.safetensors").read_bytes() == (
        tmp_path / "whole" / "weights.safetensors"
    ).read_bytes()
    assert timeless(broken) == timeless(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "number", "status"),
    [((sys.executable, "-m", "rsc_snn"), signal.SIGTERM, 143), (ALONE, signal.SIGINT, 130)],
    ids=["SIGTERM to the module", "SIGINT"],
)
def test_a_signal_saves_and_says_how_to_go_on(
    tmp_path: Path, start: tuple[str, ...], number: signal.Signals, status: int
) -> None:
    command = [*start, "train", "digits-vgg5-direct", "--out", str(tmp_path / "run")]
    command += ["--set", "training.checkpoint_every=1", "--set", "network.hidden_width=16"]
    done = run_and_signal(command, RunFolder(tmp_path / "run").checkpoint.exists, number)
    assert done.returncode == status
    assert "--resume" in done.stdout
    assert done.stderr == f"rsc-snn: stopped by {number.name}\n"


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom rsc_snn.runs.folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked():\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    folder = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(RunFolderError, match="in use by another process"):
            train(tiny(), folder)
        process.kill()
        process.wait()
    with RunFolder(folder).locked():
        pass  # the lock died with its owner


def test_a_folder_is_never_overwritten_or_mixed(tmp_path: Path) -> None:
    recipe = tiny(epochs=1, warmup_epochs=0.0)
    train(recipe, tmp_path / "run")
    with pytest.raises(RunFolderError, match="already holds a run; continue it with --resume"):
        train(recipe, tmp_path / "run")
    with pytest.raises(RunFolderError, match="network differs"):
        train(replace(recipe, network=rs.networks.VGG5(hidden_width=8)), tmp_path / "run", resume=True)
    with pytest.raises(RunFolderError, match="seed differs"):
        train(recipe, tmp_path / "run", seed=1, resume=True)


def test_other_training_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="crash"):
        train(tiny(), tmp_path / "run", display=StopAt(5))
    original = rs.data.Digits.load

    def inverted(self: rs.data.Digits, split: rs.data.Split, root: Path | None) -> rs.data.ImageSet:
        found = original(self, split, root)
        return rs.data.ImageSet.of(255 - found.images, found.labels, found.classes)

    monkeypatch.setattr(rs.data.Digits, "load", inverted)
    with pytest.raises(RunFolderError, match="begun on other training images"):
        train(tiny(), tmp_path / "run", resume=True)


def test_noise_of_a_step_is_fresh_for_every_encoding_and_every_epoch(tmp_path: Path) -> None:
    seen: list[torch.Tensor] = []

    @dataclass(frozen=True, kw_only=True)
    class Twice(rs.objectives.AbstractObjective):
        def loss_and_logits(self, classifier, images, labels, *, generator=None, originals=None):  # type: ignore[no-untyped-def]
            for _ in range(2):
                seen.append(generator.normal((1,), num_steps=1, device=images.device)[0, :, 0])
            logits = classifier.logits(images, generator)
            return torch.nn.functional.cross_entropy(logits, labels), logits

    train(replace(tiny(), objective=Twice()), tmp_path / "run", compiled="off")  # no trial passes
    numbers = torch.cat(seen)
    assert len(numbers) == 2 * 2 * 180
    assert len(numbers.unique()) == len(numbers)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="crash"):
        train(tiny(), tmp_path / "run", display=StopAt(5))
    folder = RunFolder(tmp_path / "run")
    for checkpoint in (folder.checkpoint, folder.previous_checkpoint):
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(RunFolderError, match="damaged or of another run"):
        train(tiny(), tmp_path / "run", resume=True)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(tmp_path: Path) -> None:
    """The result is that of a run that was never disturbed; the rows are those of its epochs."""
    recipe = tiny(epochs=3)
    train(recipe, tmp_path / "whole")
    with pytest.raises(RuntimeError, match="crash"):
        train(recipe, tmp_path / "run", display=StopAt(9))
    checkpoint = RunFolder(tmp_path / "run").checkpoint
    checkpoint.write_bytes(b"")
    with pytest.warns(DamagedCheckpoint, match="is damaged; going on from the checkpoint before it"):
        train(recipe, tmp_path / "run", resume=True)
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "run")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert timeless(tmp_path / "run") == timeless(tmp_path / "whole")


def test_a_finished_run_keeps_no_checkpoint_and_is_not_trained_again(tmp_path: Path) -> None:
    first = train(tiny(), tmp_path / "run")
    assert not RunFolder(tmp_path / "run").checkpoint.parent.exists()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}
    second = train(tiny(), tmp_path / "run", resume=True)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}
    images = torch.rand(2, 1, 8, 8)
    streams = rs.Streams(0, "test", range(2)).at(0)
    assert torch.equal(first.logits(images, streams), second.logits(images, streams))


def test_only_two_checkpoints_and_no_debris_are_kept(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="crash"):
        train(tiny(), tmp_path / "run", display=StopAt(11))
    folder = RunFolder(tmp_path / "run").checkpoint.parent
    (folder / ".last.pt.4711.part").write_bytes(b"half")
    with pytest.raises(RuntimeError, match="crash"):
        train(tiny(checkpoint_every=2), tmp_path / "run", resume=True, display=StopAt(1))
    assert {path.name for path in folder.iterdir()} >= {"last.pt", "previous.pt"}
    train(tiny(), tmp_path / "run", resume=True)
    assert not folder.exists()


def test_validation_images_are_not_trained_on_and_rows_count_what_was_done(tmp_path: Path) -> None:
    train(tiny(), tmp_path / "run")
    rows = read_rows(tmp_path / "run" / "training.jsonl")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {row["num_train"] for row in rows} == {180}
    assert {row["num_validation"] for row in rows} == {20}
    assert rows[-1]["loss"] < rows[0]["loss"]
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert environment[0]["device"]["type"] == "cpu"
    assert len(environment[0]["data"]["train"]) == 64


def test_without_validation_images_there_is_no_validation(tmp_path: Path) -> None:
    train(tiny(num_validation=0, epochs=1, warmup_epochs=0.0), tmp_path / "run")
    assert read_rows(tmp_path / "run" / "training.jsonl")[0]["validation_accuracy"] is None


def test_a_loss_that_is_not_finite_stops(tmp_path: Path) -> None:
    for method in ("ann", "direct"):
        with pytest.raises(DivergedError, match="lower training.learning_rate"):
            train(tiny(method, learning_rate=1e38, warmup_epochs=0.0), tmp_path / method)
        assert not (tmp_path / method / "weights.safetensors").exists()


def test_a_batch_larger_than_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="batch_size 500 of digits-vgg5-rsc0.1 exceeds the 180 training images"
    ):
        train(tiny(batch_size=500), tmp_path / "run")
    assert not (tmp_path / "run" / "run.yaml").exists()


def test_the_schedule_warms_up_and_ends_at_zero() -> None:
    settings = Training(epochs=4, learning_rate=0.2, warmup_epochs=1.0)
    rates = [settings.learning_rate_at(step, 10) for step in range(40)]
    assert rates[:10] == pytest.approx([0.02 * (i + 1) for i in range(10)])
    assert rates[10] == pytest.approx(0.2)
    assert rates[25] == pytest.approx(0.1)  # half of the cosine
    assert 0 < rates[-1] < 0.001
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1),
        ("learning_rate", 0.0),
        ("momentum", 1.0),
        ("weight_decay", -1.0),
        ("warmup_epochs", 101.0),
        ("num_images", 0),
        ("num_validation", -1),
        ("checkpoint_every", 0),
    ],
)
def test_impossible_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{field} must be"):
        Training(**{field: value})  # type: ignore[arg-type]
