"""How long the device waits for images: by a clock that moves where the test says, and told in a line."""

import io
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import rsc_snn as rs
from rsc_snn.checks import known_images, require_images
from rsc_snn.data import FileSet, ImageSet
from rsc_snn.errors import RangeError
from rsc_snn.processes import Group
from rsc_snn.rng import derived_generator
from rsc_snn.runs.files import read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.training import train
from rsc_snn.training.checkpoint import Progress, read_checkpoint, save_checkpoint
from rsc_snn.training.display import ConsoleDisplay, SilentDisplay
from rsc_snn.training.step import Stepper
from rsc_snn.training.waiting import Waiting, waiting_of
from tests.data.trees import SmallPhotos, write_photos
from tests.training.test_training import StopAt, tiny


@dataclass
class Clock:
    """Moves when it is told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def waiting(self, device: torch.device) -> Waiting[float]:
        return Waiting(self, lambda start, end: end - start)


def test_only_the_time_inside_the_stream_counts() -> None:
    clock = Clock()

    def slow() -> Iterator[int]:
        for seconds in (3.0, 0.0, 0.5):
            clock.now += seconds
            yield int(seconds)

    waiting = clock.waiting(torch.device("cpu"))
    stream = waiting.timed(slow())
    assert waiting.taken() == 0
    for expected in (3.0, 0.0):
        next(stream)
        clock.now += 100
        assert waiting.taken() == expected
    assert list(stream) == [0]
    assert waiting.taken() == 0.5
    assert waiting.taken() == 0, "nothing is counted twice"


def test_a_cpu_is_measured_by_the_clock_of_the_process() -> None:
    waiting = waiting_of(torch.device("cpu"))
    assert list(waiting.timed(iter("ab"))) == ["a", "b"]
    assert waiting.taken() >= 0


class Noted(SilentDisplay):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, int]] = []

    def starving(self, share: float, *, num_workers: int) -> None:
        self.told.append((share, num_workers))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """Let each pass of training images take some seconds to come, and each step some to compute."""

    def slowed(per_pass: float, per_step: float) -> None:
        clock, stream, update = Clock(), ImageSet.stream, Stepper.update

        def late(self: ImageSet, groups: Any, **options: Any) -> Generator[ImageSet, None, None]:
            for part in stream(self, groups, **options):
                clock.now += per_pass
                yield part

        def long(self: Stepper, *given: Any, **options: Any) -> Tensor:
            clock.now += per_step
            return update(self, *given, **options)

        monkeypatch.setattr(ImageSet, "stream", late)
        monkeypatch.setattr(Stepper, "update", long)
        monkeypatch.setattr("rsc_snn.training.loop.waiting_of", clock.waiting)
        monkeypatch.setattr("rsc_snn.training.loop.time", SimpleNamespace(perf_counter=clock))

    return slowed


def test_the_rows_tell_the_waiting_of_an_epoch_also_after_a_crash(
    slow: Callable[[float, float], None], tmp_path: Path
) -> None:
    """Six passes an epoch; validation is not waited for. A checkpoint of two steps keeps their waiting."""
    slow(0.25, 1.0)
    train(tiny(), tmp_path / "whole")
    with pytest.raises(RuntimeError, match="crash"):
        train(tiny(), tmp_path / "broken", display=StopAt(3))
    train(tiny(), tmp_path / "broken", resume=True)
    for name in ("whole", "broken"):
        rows = read_rows(tmp_path / name / "training.jsonl")
        assert [(row["waiting_seconds"], row["seconds"]) for row in rows] == [(1.5, 7.5)] * 2


@pytest.mark.parametrize(("per_step", "expected"), [(4.0, [1 / 17] * 2), (5.0, [])])
def test_more_than_a_twentieth_is_told_where_workers_help(
    slow: Callable[[float, float], None],
    per_step: float,
    expected: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow(0.25, per_step)
    in_memory, streamed = Noted(), Noted()
    train(tiny(num_workers=3), tmp_path / "memory", display=in_memory)
    monkeypatch.setattr("rsc_snn.training.loop.FileSet", ImageSet)
    train(tiny(num_workers=3), tmp_path / "files", display=streamed)
    assert in_memory.told == []
    assert [share for share, _ in streamed.told] == pytest.approx(expected)
    assert {num_workers for _, num_workers in streamed.told} <= {3}


def test_the_line_names_share_and_remedy() -> None:
    written = io.StringIO()
    ConsoleDisplay(Console(file=written, width=40)).starving(0.123, num_workers=2)
    expected = "the loader keeps the device waiting 12 % of the time: more training.num_workers (2 now)\n"
    assert written.getvalue() == expected


def test_a_checkpoint_of_an_earlier_version_has_not_waited(tmp_path: Path) -> None:
    folder, progress = RunFolder(tmp_path), Progress(epoch=1, step=2, seconds=3.0, waiting_seconds=1.0)
    save_checkpoint(folder, {}, progress)
    assert read_checkpoint(folder) == ({}, progress)
    older = torch.load(folder.checkpoint, weights_only=True)
    assert older["progress"].pop("waiting_seconds") == 1.0
    torch.save(older, folder.checkpoint)
    assert read_checkpoint(folder) == ({}, Progress(**{**asdict(progress), "waiting_seconds": 0.0}))


def test_workers_have_the_next_two_groups_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photos(tmp_path)
    images, options = SmallPhotos().load("train", tmp_path), list[dict[str, Any]]()
    assert isinstance(images, FileSet)

    class StoppedError(Exception):
        pass

    def spy(*given: Any, **named: Any) -> None:
        options.append(named)
        raise StoppedError

    monkeypatch.setattr("rsc_snn.data.fileset.DataLoader", spy)
    for num_workers in (2, 0):
        with pytest.raises(StoppedError):
            next(images.stream([torch.arange(2)] * 3, device="cpu", num_workers=num_workers))
    assert options[0]["num_workers"] == 2
    assert options[0]["prefetch_factor"] >= 2
    assert options[1]["prefetch_factor"] is None


class Reads(TorchDispatchMode):
    """Counts numbers of images, losses or weights that Python reads, for each of which it waits on a GPU."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default and args[0].is_floating_point():
            self.count += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("method", ["rsc0.1", "direct-adv", "rsc0.1-cons-smoothadv"])
def test_a_step_of_training_waits_for_nothing(method: str) -> None:
    """Integers are left out: indices of images, which stay on the CPU."""
    recipe = tiny(method, accumulation_steps=2)
    classifier = recipe.classifier().build(derived_generator(0, "init"))
    stepper = Stepper(classifier, recipe.objective, recipe.training, seed=0, group=Group())
    images = rs.data.load("digits", split="train").at(slice(60))
    groups = [torch.arange(30), torch.arange(30, 60)]
    augmentation = rs.data.Augmentation(recipe.data, seed=0, draw=0)
    stepper.update(list(images.stream(groups, device="cpu")), epoch=0, step=0, rate=0.1)
    with Reads() as reads:
        passes = list(images.stream(groups, device="cpu", augmentation=augmentation))
        stepper.update(passes, epoch=0, step=1, rate=0.1)
    assert reads.count == 0
    with Reads() as reads:
        require_images(passes[0].pixels())
    assert reads.count == 2, "so that the count can fail"


def test_known_images_are_not_looked_at_and_others_are_again() -> None:
    wrong = torch.full((1, 1, 2, 2), 3.0)
    with known_images():
        require_images(wrong)
    with pytest.raises(RangeError, match="got \\[3, 3\\]"):
        require_images(wrong)
