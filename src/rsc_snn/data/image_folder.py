"""A user's own images: a folder of class folders."""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from rsc_snn.data.augmentation import random_crops, require_share
from rsc_snn.data.base import Split
from rsc_snn.data.fileset import AbstractFileDataset, FileSet
from rsc_snn.data.listing import class_names, has_images, list_class_folders
from rsc_snn.data.own import find_path, require_normalisation
from rsc_snn.data.views import RANDOM_VIEW_NUMBERS, View, centre_view, random_view
from rsc_snn.errors import InputError, RangeError
from rsc_snn.rng import Randomness

_FOLDERS: dict[Split, tuple[str, ...]] = {"train": ("train",), "test": ("test", "val")}


@dataclass(frozen=True, kw_only=True)
class ImageFolder(AbstractFileDataset):
    """Images of one's own, in PATH/train/CLASS/* and PATH/test/CLASS/* (or val/CLASS/*).

    Training shows a random part of each image, testing the largest square in its middle, both in colour at
    ``image_size``. Labels are positions of the class folders' names in alphabetical order.

    Args:
        path: The folder; relative to the current folder or, if nothing is there, to the data root.
        num_classes: K, the number of class folders.
        image_size: Height and width that a network sees, in pixels.
        mean: Of each channel, pixel units; the default is that of ImageNet.
        std: Standard deviation likewise.
        smallest_area: Smallest share of an image that training shows, in (0, 1].
        flip: Whether training mirrors images left to right.
    """

    name: ClassVar[str] = "image-folder"
    num_numbers: ClassVar[int] = RANDOM_VIEW_NUMBERS

    path: str
    num_classes: int
    image_size: int
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    smallest_area: float = 0.25
    flip: bool = True

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise RangeError(f"image_size must be at least 1, got {self.image_size}")
        require_share("smallest_area", self.smallest_area)
        require_normalisation(self)

    @classmethod
    def of(cls, path: str | Path) -> "ImageFolder":
        """Describe a folder as it is found: its classes, and the shorter side of a training image.

        It is the first that opens, of the first class.

        Raises:
            InputError: it is not laid out as expected, or no image of that class opens.
        """
        folder = Path(path).expanduser()
        classes = class_names(_split_folder(folder, "train"))
        files, labels = list_class_folders(_split_folder(folder, "train"), classes[:1])
        size = next(filter(None, (_shorter_side(files.name(i)) for i in range(len(labels)))), None)
        if size is None:
            raise InputError(
                f"cannot read {files.name(0)!r}, nor the {len(labels) - 1} other images of its class; "
                "replace them, or give an ImageFolder spec"
            )
        return cls(path=str(path), num_classes=len(classes), image_size=size)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """3, image_size, image_size."""
        return 3, self.image_size, self.image_size

    def load(self, split: Split, root: Path | None) -> FileSet:
        """Return a split; only its list is read.

        Raises:
            InputError: a folder or class is missing or empty, or there are not ``num_classes`` of them.
        """
        folder = Path(self.locate(root))
        classes = {name: class_names(_split_folder(folder, name)) for name in _FOLDERS}
        if different := set(classes["train"]) ^ set(classes["test"]):
            name = min(different)
            lacking = _split_folder(folder, "test" if name in classes["train"] else "train")
            raise InputError(f"class {name!r} is missing from {str(lacking)!r}; both splits have all classes")
        if len(classes["train"]) != self.num_classes:
            raise InputError(
                f"num_classes is {self.num_classes}, but {str(folder)!r} has {len(classes['train'])} classes"
            )
        source, labels = list_class_folders(_split_folder(folder, split), classes[split])
        return FileSet.of(self, source, labels, classes[split])

    def locate(self, root: Path | None) -> str:
        """Name the folder; raise InputError if it or a split is missing."""
        folder = find_path(self.path, root)
        for split in _FOLDERS:
            _split_folder(folder, split)
        return str(folder)

    def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
        """Choose a random part in training, the largest square in the middle in testing."""
        if numbers is None:
            return centre_view(width, height, resized=self.image_size, shown=self.image_size)
        return random_view(width, height, numbers, smallest_area=self.smallest_area, flip=self.flip)

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return random parts of images that are in memory, interpolated to their size."""
        choose = functools.partial(random_view, smallest_area=self.smallest_area, flip=self.flip)
        return random_crops(images, choose, generator=generator)


def _shorter_side(file: str) -> int | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, on odd metadata and large images
            with Image.open(file) as image:
                return min(image.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _split_folder(folder: Path, split: Split) -> Path:
    found = next((folder / name for name in _FOLDERS[split] if (folder / name).is_dir()), None)
    if found is None or (not class_names(found) and not has_images(found)):
        wanted = " or ".join(f"{name}/CLASS/*" for name in _FOLDERS[split])
        raise InputError(f"no class folders for the {split} images in {str(folder)!r}; expected {wanted}")
    if not class_names(found):
        raise InputError(f"the images in {str(found)!r} are not in class folders; sort them into these")
    return found


EXAMPLES = (ImageFolder(path="flowers", num_classes=5, image_size=64),)
