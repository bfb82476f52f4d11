"""Images per second from JPEG files to training batches: this library's loader beside two others.

    python benchmarks/loader.py --out loader.json

All three decode the same generated photographs, cut a random part out of each (the same distribution), resize
it to 224x224 and make batches, with the same number of worker processes, one after the other in each round:

    ours        FileSet.stream with an augmentation
    plain       Image.open, convert, decode in full, crop, resize; image by image, torch's collation
    datasets    the imagefolder reader of ``datasets``, which decodes in full, then crop and resize likewise

The ratio is the images per second of ours over those of the other, round by round; the median is reported.
"""

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import PIL
import PIL.features
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

import rsc_snn as rs
from rsc_snn.data.views import RANDOM_VIEW_NUMBERS, random_view
from rsc_snn.runs.environment import describe_environment

SIZE = 224
BATCH = 64
SMALLEST_AREA = 0.08
NUM_CLASSES = 4
GRAIN = 12.0  # levels; with it the files are about as large as those of ImageNet


def main() -> None:
    """Measure, print a table, write JSON."""
    options = read_options()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        num_bytes = write_tree(root, options.images, width, height)
        contenders = {
            "ours": ours(root),
            "plain": plain(root),
            "datasets": hub_reader(root),
        }
        rows = [
            measure(contenders, num_workers, options.rounds, options.images)
            for num_workers in options.workers
        ]
    result = {
        "images": options.images,
        "size": options.size,
        "mean_kilobytes": round(num_bytes / options.images / 1000, 1),
        "shown": SIZE,
        "batch": BATCH,
        "rounds": options.rounds,
        "load_average": os.getloadavg(),
        "rows": rows,
        "environment": environment(),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    for row in rows:
        print(
            f"{row['workers']} workers: "
            + ", ".join(f"{name} {row[name]['images_per_second']:.0f} images/s" for name in contenders)
            + f"; ours is {row['plain']['ratio']:.2f} x plain, {row['datasets']['ratio']:.2f} x datasets"
        )


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--size", default="500x375", help="of the photographs, in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=lambda text: [int(n) for n in text.split(",")], default=counts())
    return parser.parse_args()


def counts() -> list[int]:
    """1, 2, 4, ... up to the workers that are taken by default."""
    cores = rs.data.default_num_workers()
    return sorted({2**i for i in range(cores.bit_length()) if 2**i <= cores} | {cores})


def write_tree(root: Path, num_images: int, width: int, height: int) -> int:
    """Write ROOT/train/CLASS/*.JPEG (and a test image per class); return the bytes of the training images."""
    rng = np.random.default_rng(0)
    for split, total in (("train", num_images), ("test", NUM_CLASSES)):
        for i in range(total):
            folder = root / split / f"class{i % NUM_CLASSES}"
            folder.mkdir(parents=True, exist_ok=True)
            turned = (height, width) if i % 4 == 3 else (width, height)
            photograph(rng, *turned).save(folder / f"{i:06}.JPEG", quality=90)
    return sum(file.stat().st_size for file in (root / "train").glob("*/*"))


def photograph(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Noise that is strong at large scales and weak at small ones, as in photographs, with a little grain."""
    total = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24, 48, 96, 192):
        coarse = rng.uniform(-1, 1, (cells, cells, 3)) + rng.uniform(-1, 1, (cells, cells, 1))
        for channel in range(3):
            layer = Image.fromarray(coarse[:, :, channel].astype(np.float32))
            total[:, :, channel] += (
                np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC)) / cells**0.8
            )
    grain = rng.normal(0, GRAIN, (height, width, 1)) + rng.normal(0, GRAIN / 2, (height, width, 3))
    return Image.fromarray((128 + 110 * total + grain).clip(0, 255).astype(np.uint8))


def ours(root: Path) -> Callable[[int], Iterator[int]]:
    """Return the loader of this library."""
    spec = rs.data.ImageFolder(
        path=str(root), num_classes=NUM_CLASSES, image_size=SIZE, smallest_area=SMALLEST_AREA
    )
    train = rs.data.load(spec, split="train")
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    alter = rs.data.Augmentation(dataset=spec, seed=0, draw=0)

    def batches(num_workers: int) -> Iterator[int]:
        stream = train.stream(order.split(BATCH), device="cpu", augmentation=alter, num_workers=num_workers)
        return (len(batch.images) for batch in stream)

    return batches


class Plain(Dataset[tuple[torch.Tensor, int]]):
    """Image by image, decoded in full."""

    def __init__(self, root: Path):
        self.files = sorted((root / "train").glob("*/*"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.files[index]) as image:
            return cut(image.convert("RGB")), 0


def cut(picture: Image.Image) -> torch.Tensor:
    """A random part of a decoded picture at the size that is shown, [3, H, W]."""
    numbers = [random.random() for _ in range(RANDOM_VIEW_NUMBERS)]
    view = random_view(*picture.size, numbers, smallest_area=SMALLEST_AREA, flip=True)
    part = picture.crop((int(view.left), int(view.top), int(view.right), int(view.bottom)))
    part = part.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    if view.is_mirrored:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return torch.from_numpy(np.array(part)).permute(2, 0, 1).contiguous()


def plain(root: Path) -> Callable[[int], Iterator[int]]:
    """Return the plain recipe."""
    return lambda num_workers: collated(Plain(root), num_workers)


def hub_reader(root: Path) -> Callable[[int], Iterator[int]]:
    """Return the imagefolder reader of ``datasets``."""
    datasets.disable_progress_bars()
    cache = str(root / "cache")
    table = datasets.load_dataset("imagefolder", data_dir=str(root / "train"), split="train", cache_dir=cache)
    table.set_transform(transformed)
    return lambda num_workers: collated(table, num_workers)


def transformed(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Cut the decoded images of some rows."""
    return {"image": [cut(image.convert("RGB")) for image in rows["image"]], "label": rows["label"]}


def collated(source: Any, num_workers: int) -> Iterator[int]:
    """Sizes of shuffled batches."""
    prefetch = 2 if num_workers else None
    loader = DataLoader(
        source, batch_size=BATCH, shuffle=True, num_workers=num_workers, prefetch_factor=prefetch
    )
    for batch in loader:
        images = batch["image"] if isinstance(batch, dict) else batch[0]
        yield len(images)


def measure(
    contenders: dict[str, Callable[[int], Iterator[int]]], num_workers: int, num_rounds: int, num_images: int
) -> dict[str, Any]:
    """Images per second of each contender, starting its workers included, and the ratios of each round."""
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(num_rounds + 1):  # the first round warms up
        for name, batches in contenders.items():
            begun = time.perf_counter()
            num_seen = sum(batches(num_workers))
            assert num_seen == num_images, f"{name} gave {num_seen} of {num_images} images"
            speeds[name].append(num_images / (time.perf_counter() - begun))
    row: dict[str, Any] = {"workers": num_workers}
    for name, found in speeds.items():
        ratios = [mine / other for mine, other in zip(speeds["ours"][1:], found[1:], strict=True)]
        row[name] = {
            "images_per_second": round(statistics.median(found[1:]), 1),
            "rounds": [round(speed, 1) for speed in found[1:]],
            "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in ratios],
        }
    return row


def environment() -> dict[str, Any]:
    """Hardware and versions."""
    described = describe_environment(torch.device("cpu"))
    return {
        **{key: described[key] for key in ("python", "platform", "packages", "device") if key in described},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.machine(),
        "pillow": PIL.__version__,
        "jpeg": PIL.features.version("jpg"),
        "is_libjpeg_turbo": PIL.features.check("libjpeg_turbo"),
    }


if __name__ == "__main__":
    main()
