"""A user's own tensors, kept in one safetensors file so that a run can be resumed and attacked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from rsc_snn.data.augmentation import require_padding, shift_and_flip
from rsc_snn.data.base import SPLITS, AbstractDataset, ImageSet, Split
from rsc_snn.data.own import find_path, require_normalisation, tensor_pair
from rsc_snn.errors import InputError, ShapeError
from rsc_snn.rng import Randomness
from rsc_snn.runs.files import replace_file

_SMALLEST_STD = 1 / 255
_MOST_CLASSES = 100_000


@dataclass(frozen=True, kw_only=True)
class TensorFile(AbstractDataset):
    """Images of one's own, in a file that ``rs.data.save_tensors`` wrote; training alters them if asked.

    Args:
        path: The file; relative to the current folder or, if nothing is there, to the data root.
        num_classes: K.
        image_shape: C, H, W.
        mean: Of each channel, or one for all, pixel units.
        std: Standard deviation likewise.
        padding: Largest random shift in training, in pixels.
        flip: Whether training mirrors images left to right.
    """

    name: ClassVar[str] = "tensor-file"

    path: str
    num_classes: int
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.25,)
    padding: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        require_padding(self.padding, self.image_shape)
        require_normalisation(self)

    @classmethod
    def of(cls, path: str | Path) -> "TensorFile":
        """Describe a file as it is found: classes, shape, mean and standard deviation of its training images.

        Raises:
            InputError: it cannot be read.
        """
        train = _read(Path(path).expanduser(), "train")
        mean, std = _normalisation(train.images)
        channels, height, width = train.images.shape[1:]
        shape = (channels, height, width)
        return cls(path=str(path), num_classes=len(train.classes), image_shape=shape, mean=mean, std=std)

    def load(self, split: Split, root: Path | None) -> ImageSet:
        """Return a split.

        Raises:
            InputError: the file is missing or damaged, or its images or classes are not those of the spec.
        """
        found = _read(find_path(self.path, root), split)
        shape = tuple(found.images.shape[1:])
        if (shape, len(found.classes)) != (self.image_shape, self.num_classes):
            raise InputError(
                f"{self.path!r} holds images {list(shape)} in {len(found.classes)} classes; image_shape is "
                f"{list(self.image_shape)}, num_classes is {self.num_classes}"
            )
        return found

    def locate(self, root: Path | None) -> str:
        """Name the file; raise InputError if it is missing."""
        return str(find_path(self.path, root))

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return images shifted by up to ``padding`` pixels and, if ``flip``, mirrored half of the time."""
        return shift_and_flip(images, padding=self.padding, flip=self.flip, generator=generator)


def image_set(images: Tensor, labels: Tensor, classes: Sequence[str] | None = None) -> ImageSet:
    """Make a set of two tensors in memory.

    Args:
        images: uint8 [N, C, H, W].
        labels: int64 [N], from 0.
        classes: Names; None calls them 0, 1, ... up to the largest label.

    Raises:
        InputError: types, shapes or labels do not fit.
    """
    if classes is None:
        classes = _numbered(labels)
    return ImageSet.of(images, labels, tuple(classes))


def save_tensors(
    path: str | Path,
    *,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    classes: Sequence[str] | None = None,
) -> TensorFile:
    """Write images and labels of both splits into one file and return the spec to train on it.

    Args:
        path: File to write, NAME.safetensors; its folder must exist.
        train: Images uint8 [N, C, H, W] and labels int64 [N].
        test: Likewise, of the same size.
        classes: Names of the K classes; None calls them 0, 1, ... up to the largest label of both.

    Returns:
        The spec, with mean and standard deviation of the training images.

    Raises:
        InputError: types, shapes or labels do not fit, or the name has another ending.
    """
    train, test = tensor_pair(train), tensor_pair(test)
    place = Path(path).expanduser()
    if place.suffix != ".safetensors":
        raise InputError(f"expected the name of a file NAME.safetensors, got {str(path)!r}")
    if classes is None:
        classes = max((image_set(*train).classes, image_set(*test).classes), key=len)
    sets = {"train": image_set(*train, classes), "test": image_set(*test, classes)}
    shapes = [list(found.images.shape[1:]) for found in sets.values()]
    if shapes[0] != shapes[1]:
        raise ShapeError(f"both splits take images of one size, got {shapes[0]} and {shapes[1]}")
    tensors = {
        f"{split}_{part}": getattr(found, part)
        .cpu()
        .contiguous()
        .clone()  # the format takes no shared memory
        for split, found in sets.items()
        for part in ("images", "labels")
    }
    metadata = {"classes": json.dumps(list(classes))}
    replace_file(place, lambda temporary: save_file(tensors, temporary, metadata))
    return TensorFile.of(path)


def _numbered(labels: Tensor) -> list[str]:
    highest = int(labels.max()) if labels.numel() and labels.dtype == torch.int64 else -1
    if highest >= _MOST_CLASSES:
        raise InputError(
            f"labels must lie below {_MOST_CLASSES}, got {highest}; number the classes 0, 1, ... in order"
        )
    return [str(i) for i in range(highest + 1)]


def _read(path: Path, split: Split) -> ImageSet:
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder, not a safetensors file; read folders with ImageFolder")
    try:
        with safe_open(path, framework="pt") as file:
            names = {f"{name}_{part}" for name in SPLITS for part in ("images", "labels")}
            if missing := names - set(file.keys()):
                raise InputError(
                    f"{str(path)!r} lacks the tensor {min(missing)!r}; write it with rs.data.save_tensors"
                )
            classes = _class_names(path, (file.metadata() or {}).get("classes", "null"))
            return image_set(file.get_tensor(f"{split}_images"), file.get_tensor(f"{split}_labels"), classes)
    except FileNotFoundError as err:
        raise InputError(f"no file {str(path)!r}; write it with rs.data.save_tensors") from err
    except SafetensorError as err:
        raise InputError(f"{str(path)!r} is no safetensors file ({err}); write it again") from err


def _class_names(path: Path, text: str) -> list[str] | None:
    try:
        names = json.loads(text)
    except ValueError:
        names = text
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise InputError(
            f"the metadata 'classes' of {str(path)!r} must be a JSON list of names, got {text[:60]!r}; write "
            "the file with rs.data.save_tensors"
        )
    return names


def _normalisation(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, to four digits; a channel without contrast gets 1/255."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    means, stds = [], []
    for channel in range(images.shape[1]):
        share = images[:, channel].flatten().bincount(minlength=256).double()
        share /= max(1, images[:, channel].numel())
        mean = float((share * levels).sum())
        means.append(round(mean, 4))
        stds.append(max(_SMALLEST_STD, round(float((share * (levels - mean) ** 2).sum() ** 0.5), 4)))
    return tuple(means), tuple(stds)


EXAMPLES = (TensorFile(path="mine.safetensors", num_classes=3, image_shape=(1, 8, 8)),)
