"""How long training waits for its images."""

import statistics
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from PIL import Image

from rsc_snn.benchmarks.backends import EAGER
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.timing import Side, make_row, seconds_of
from rsc_snn.benchmarks.update import Learner
from rsc_snn.benchmarks.workload import NUM_CLASSES, Workload, usual_network
from rsc_snn.codings import RandomizedSmoothing
from rsc_snn.data import AbstractImageSet, Augmentation, ImageFolder, ImageSet, by_name, default_num_workers
from rsc_snn.rng import derived_generator
from rsc_snn.runs.files import Row
from rsc_snn.training.waiting import waiting_of

_BATCH = 32
_WIDTH, _HEIGHT = 500, 375  # of a photograph, about as in ImageNet
_SHOWN = 64
_COARSE = (3, 6, 12, 24, 48, 96, 192)  # cells across a photograph
_GRAIN = 12.0  # levels; with it a file is about as large as one of ImageNet
Stream = Generator[ImageSet, None, None]


@dataclass(frozen=True, kw_only=True)
class Loader(AbstractCase):
    """An epoch over images in memory, and one over generated JPEG files, in the file cache.

    Starting the processes that decode counts, as in every epoch; the disk is not measured.
    """

    name: ClassVar[str] = "loader"
    position: ClassVar[int] = 4

    def measure(self, settings: Settings) -> list[Row]:
        """Return a row each: seconds of the epoch, and of them those spent waiting for images."""
        num_images = 2 * _BATCH if settings.is_quick else 16 * _BATCH
        rows = [_row("tensors in memory", 32, 0, _from_memory(num_images), settings)]
        with tempfile.TemporaryDirectory() as folder:
            _write_photographs(Path(folder), num_images)
            num_workers = default_num_workers()
            stream = _from_files(folder, num_workers)
            rows.append(_row("JPEG files", _SHOWN, num_workers, stream, settings))
        return rows


def _row(
    kind: str, image_size: int, num_workers: int, stream: Callable[[torch.device], Stream], settings: Settings
) -> Row:
    network = usual_network(is_quick=settings.is_quick)
    workload = Workload(
        network=network,
        batch_size=_BATCH,
        num_steps=4,
        coding=RandomizedSmoothing(variance=0.1),
        image_size=image_size,
    )
    learner = Learner(workload.spiking(EAGER), workload, settings.place)
    learner.update()
    found = [_epoch(learner, stream(settings.place), settings.place) for _ in range(settings.rounds + 1)][1:]
    shares = [waiting / whole for whole, waiting in found]
    side = Side(
        name="ours",
        backend=EAGER,
        work=lambda: None,
        is_checked=None,
        facts={
            "waiting_seconds": [round(waiting, 6) for _, waiting in found],
            "share_waiting": round(statistics.median(shares), 4),
        },
    )
    what = {"images": kind, "workers": num_workers, **workload.described()}
    return make_row(Loader.name, what, side, [whole for whole, _ in found], settings)


def _epoch(learner: Learner, stream: Stream, device: torch.device) -> tuple[float, float]:
    """Return the seconds of an epoch, and of those in which nothing was computed for want of images."""
    waiting = waiting_of(device)

    def work() -> None:
        for batch in waiting.timed(stream):
            learner.step(batch.pixels(), batch.labels)

    return seconds_of(work, device), waiting.taken()


def _in_order(
    images: AbstractImageSet, *, augmentation: Augmentation, num_workers: int
) -> Callable[..., Stream]:
    order = torch.randperm(len(images), generator=derived_generator(0, "benchmark order"))
    groups = [group for group in order.split(_BATCH) if len(group) == _BATCH]
    return lambda device: images.stream(
        groups, device=device, augmentation=augmentation, num_workers=num_workers
    )


def _from_memory(num_images: int) -> Callable[[torch.device], Stream]:
    generator = derived_generator(0, "benchmark images")
    images = torch.randint(0, 256, (num_images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.arange(num_images) % NUM_CLASSES
    found = ImageSet.of(images, labels, tuple(map(str, range(NUM_CLASSES))))
    alter = Augmentation(dataset=by_name("cifar10"), seed=0, draw=0)
    return lambda device: _in_order(found.to(device), augmentation=alter, num_workers=0)(device)


def _from_files(folder: str, num_workers: int) -> Callable[[torch.device], Stream]:
    spec = ImageFolder(path=folder, num_classes=NUM_CLASSES, image_size=_SHOWN)
    alter = Augmentation(dataset=spec, seed=0, draw=0)
    return _in_order(spec.load("train", None), augmentation=alter, num_workers=num_workers)


def _write_photographs(root: Path, num_images: int) -> None:
    """Write ROOT/train/CLASS/*.jpeg, and as little of a test split as there has to be."""
    rng = np.random.default_rng(0)
    for split, total in (("train", num_images), ("test", NUM_CLASSES)):
        for number in range(total):
            folder = root / split / f"class{number % NUM_CLASSES}"
            folder.mkdir(parents=True, exist_ok=True)
            _photograph(rng).save(folder / f"{number:06}.jpeg", quality=90)


def _photograph(rng: np.random.Generator) -> Image.Image:
    """Noise that is strong at large scales and weak at small ones, with grain."""
    total = np.zeros((_HEIGHT, _WIDTH, 3))
    for cells in _COARSE:
        coarse = 255 * rng.random((cells, cells, 3))
        picture = Image.fromarray(coarse.astype(np.uint8)).resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
        total += (np.asarray(picture) / 127.5 - 1) / cells**0.8
    grain = rng.normal(0, _GRAIN, (_HEIGHT, _WIDTH, 1))
    return Image.fromarray((128 + 110 * total + grain).clip(0, 255).astype(np.uint8))
