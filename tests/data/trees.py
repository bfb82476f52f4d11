"""Generated pictures and folders of them, laid out as the real data sets are."""

import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from rsc_snn.data.augmentation import random_crops
from rsc_snn.data.base import ImageSet, Split
from rsc_snn.data.fileset import FileSet
from rsc_snn.data.tree import AbstractTreeDataset
from rsc_snn.data.views import RANDOM_VIEW_NUMBERS, View, centre_view, random_view
from rsc_snn.rng import Randomness

CLASSES = ("n01", "n02", "n03", "n04", "n05")
SIZES = ((50, 40), (40, 50), (64, 64), (97, 61), (33, 120))
CORRUPT, NO_IMAGE = "n03/n03_7.JPEG", "n04/n04_11.JPEG"
GREY, CMYK, PALETTE, TURNED = "n01/n01_3.JPEG", "n02/n02_0.JPEG", "n02/n02_5.JPEG", "n05/n05_1.JPEG"


@dataclass(frozen=True, kw_only=True)
class SmallPhotos(AbstractTreeDataset):
    """ImageNet in small: 5 classes at 24x24."""

    name: ClassVar[str] = "small-photos"
    num_classes: ClassVar[int] = 5
    image_shape: ClassVar[tuple[int, int, int]] = (3, 24, 24)
    mean: ClassVar[tuple[float, ...]] = (0.5, 0.5, 0.5)
    std: ClassVar[tuple[float, ...]] = (0.25, 0.25, 0.25)
    repository: ClassVar[str] = "nobody/small-photos"
    num_images: ClassVar[dict[Split, int]] = {"train": 300, "test": 100}
    num_numbers: ClassVar[int] = RANDOM_VIEW_NUMBERS

    def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
        if numbers is None:
            return centre_view(width, height, resized=28, shown=24)
        return random_view(width, height, numbers, smallest_area=0.08, flip=True)

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        def choose(width: int, height: int, numbers: Sequence[float]) -> View:
            return self.view(width, height, numbers)

        return random_crops(images, choose, generator=generator)


def smooth_noise(width: int, height: int, *, seed: int) -> NDArray[np.uint8]:
    """A random picture [H, W, 3] without sharp edges."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def write_class_folders(
    folder: Path, classes: Sequence[str], num_images: int, *, sizes: Sequence[tuple[int, int]] = SIZES
) -> None:
    """folder/CLASS/CLASS_i.JPEG, ``num_images`` in each class, all different."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(num_images):
            width, height = sizes[(number + i) % len(sizes)]
            picture = Image.fromarray(smooth_noise(width, height, seed=1000 * number + i))
            picture.save(folder / name / f"{name}_{i}.JPEG", quality=90)


def write_photos(root: Path) -> Path:
    """SmallPhotos as a tree of 250 training and 50 test images, some of them odd; returns its folder."""
    folder = root / SmallPhotos.name
    write_class_folders(folder / "train", CLASSES, 50)
    write_class_folders(folder / "val", CLASSES, 10)
    train = folder / "train"
    content = (train / CORRUPT).read_bytes()
    (train / CORRUPT).write_bytes(content[: len(content) // 2])
    (train / NO_IMAGE).write_text("This is no image.")
    picture = Image.fromarray(smooth_noise(50, 40, seed=5))
    picture.convert("L").save(train / GREY)
    picture.convert("CMYK").save(train / CMYK)
    picture.quantize(16).save(train / PALETTE, format="PNG")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees
    picture.save(train / TURNED, exif=exif)
    (train / "n01" / ".hidden.JPEG").write_text("")
    (train / "n01" / "Thumbs.db").write_text("")
    return folder


def write_tiny(root: Path, classes: Sequence[str]) -> Path:
    """Tiny-ImageNet's layout: two training images and one test image of each class; returns its folder."""
    folder = root / "tiny-imagenet"
    (folder / "val" / "images").mkdir(parents=True)
    lines = []
    for number, name in enumerate(classes):
        images = folder / "train" / name / "images"
        images.mkdir(parents=True)
        for i in range(2):
            picture = Image.fromarray(smooth_noise(64, 64, seed=3 * number + i))
            picture.save(images / f"{name}_{i}.JPEG")
        # file names run against the order of the classes
        file = f"val_{len(classes) - 1 - number:03}.JPEG"
        Image.new("RGB", (64, 64), (number, 0, 0)).save(folder / "val" / "images" / file, format="PNG")
        lines.append(f"{file}\t{name}\t0\t0\t62\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    return folder


def write_many(folder: Path, classes: Sequence[str], num_images: int) -> None:
    """The same small image under many names."""
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "one.png")
    for name in classes:
        (folder / name).mkdir()
        for i in range(num_images):
            os.link(folder / "one.png", folder / name / f"{i}.JPEG")
    (folder / "one.png").unlink()


def listed(found: FileSet) -> FileSet:
    """The set in the order of its listing, class by class, so that position i is index i."""
    return found.at(found.indices.argsort())


def encoded(picture: Image.Image, **options: object) -> bytes:
    """The content of an image file."""
    buffer = io.BytesIO()
    picture.save(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def whole(width: int, height: int) -> View:
    """All of a picture."""
    return View(0, 0, width, height)


def by_index(parts: Iterable[ImageSet]) -> dict[int, bytes]:
    """The bytes of each image by its index."""
    found: dict[int, bytes] = {}
    for part in parts:
        found |= {
            int(i): bytes(image.numpy().tobytes()) for i, image in zip(part.indices, part.images, strict=True)
        }
    return found


def positions(*groups: Sequence[int]) -> list[Tensor]:
    """Groups as the training loop gives them."""
    return [torch.tensor(group, dtype=torch.int64) for group in groups]
