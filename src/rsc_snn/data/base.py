"""What a data set is: images held in memory as bytes, and how training may alter them."""

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, get_args

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from rsc_snn.errors import DTypeError, InputError, ShapeError
from rsc_snn.rng import Randomness, derived_generator
from rsc_snn.spec import Spec

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images in memory.

    Attributes:
        images: uint8 [N, C, H, W].
        labels: int64 [N], class of each image.
        classes: Names of the K classes.
        indices: int64 [N], position of each image in the split it came from; keys its randomness.
    """

    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, "N"]
    classes: tuple[str, ...]
    indices: Int64[Tensor, "N"]

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, classes: tuple[str, ...]) -> "ImageSet":
        """Make a set of two tensors; image i gets index i.

        Raises:
            DTypeError, ShapeError: not uint8 [N, C, H, W] and int64 [N].
        """
        if images.dtype != torch.uint8 or labels.dtype != torch.int64:
            raise DTypeError(
                f"a data set takes uint8 images and int64 labels, got {images.dtype}, {labels.dtype}"
            )
        if images.ndim != 4 or labels.shape != images.shape[:1]:
            raise ShapeError(
                "a data set takes images [N, C, H, W] and labels [N], "
                f"got {list(images.shape)} and {list(labels.shape)}"
            )
        return cls(images, labels, classes, torch.arange(len(images)))

    def __len__(self) -> int:
        return len(self.images)

    def at(self, positions: Tensor | slice) -> "ImageSet":
        """Return the images at ``positions``, each with its original index."""
        return ImageSet(self.images[positions], self.labels[positions], self.classes, self.indices[positions])

    def to(self, device: torch.device | str) -> "ImageSet":
        """Return the set with its images and labels on ``device``."""
        return ImageSet(self.images.to(device), self.labels.to(device), self.classes, self.indices)

    def pixels(self) -> Float[Tensor, "N C H W"]:
        """Return the images as float32 in [0, 1]."""
        return to_pixels(self.images)

    def carve(self, num_images: int, *, seed: int) -> tuple["ImageSet", "ImageSet"]:
        """Split off ``num_images`` at random, the same share of each class as far as it divides.

        Returns:
            The remaining set and the split-off set (validation), both in the original order.

        Raises:
            InputError: more than half would be split off.
        """
        if not 0 <= num_images <= len(self) // 2:
            raise InputError(
                f"a validation split takes 0 to {len(self) // 2} of {len(self)} images, got {num_images}"
            )
        order = torch.randperm(len(self), generator=derived_generator(seed, "validation"))
        labels = self.labels.cpu()[order]
        share = (rank_within_class(labels).double() + 0.5) / labels.bincount()[labels]
        chosen = order[share.sort(stable=True).indices[:num_images]]
        is_chosen = torch.zeros(len(self), dtype=torch.bool)
        is_chosen[chosen] = True
        return self.at(~is_chosen), self.at(is_chosen)

    def fingerprint(self) -> str:
        """Return the SHA-256 of pixels and labels, for the record of a run."""
        digest = hashlib.sha256(self.images.cpu().contiguous().numpy().tobytes())
        digest.update(self.labels.cpu().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class AbstractDataset(Spec):
    """A data set by name, with its normalisation and the augmentation that its images allow."""

    name: ClassVar[str]
    num_classes: ClassVar[int]
    image_shape: ClassVar[tuple[int, int, int]]
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]

    @abstractmethod
    def load(self, split: Split, root: Path | None) -> ImageSet:
        """Return a split, from the folder ``root / name``, or from the source if root is None."""
        raise NotImplementedError

    @abstractmethod
    def locate(self, root: Path | None) -> str:
        """Say in a few words where the data is; raise InputError with the fix if it is missing."""
        raise NotImplementedError

    @abstractmethod
    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return randomly altered training images, each by numbers of its own."""
        raise NotImplementedError


def rank_within_class(labels: Int64[Tensor, "N"]) -> Int64[Tensor, "N"]:
    """For each image the number of earlier images of its class."""
    rank = torch.zeros_like(labels)
    for label in labels.unique():
        members = labels == label
        rank[members] = torch.arange(int(members.sum()))
    return rank


def to_pixels(images: UInt8[Tensor, "*N"]) -> Float[Tensor, "*N"]:
    """Bytes as float32 in [0, 1]."""
    return images.to(torch.float32) / 255
