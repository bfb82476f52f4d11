"""What a data set is: labelled images, in memory or in files, and how training may alter them."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, final, get_args

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from rsc_snn.errors import DTypeError, InputError, ShapeError
from rsc_snn.rng import Randomness, Streams, derived_generator
from rsc_snn.spec import Spec

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class AbstractImageSet(ABC):
    """Labelled images: in memory (``ImageSet``) or in files that are decoded when needed (``FileSet``)."""

    if TYPE_CHECKING:  # a field or a property of each kind

        @property
        def images(self) -> UInt8[Tensor, "N C H W"]:
            """The bytes [N, C, H, W]. Of a set in files, each access decodes all of them into memory."""

        @property
        def labels(self) -> Int64[Tensor, "N"]:
            """Class of each image."""

        @property
        def classes(self) -> tuple[str, ...]:
            """Names of the K classes."""

        @property
        def indices(self) -> Int64[Tensor, "N"]:
            """Position of each image in the split it came from, on the CPU; keys its randomness."""

    @abstractmethod
    def at(self, positions: Tensor | slice) -> "AbstractImageSet":
        """Return the images at ``positions``, each with its original index."""
        raise NotImplementedError

    @abstractmethod
    def to(self, device: torch.device | str) -> "AbstractImageSet":
        """Return the set with its images and labels on ``device``."""
        raise NotImplementedError

    @abstractmethod
    def fetch(self) -> "ImageSet":
        """Return the set in memory, without the images that cannot be decoded."""
        raise NotImplementedError

    @abstractmethod
    def stream(
        self,
        groups: Sequence[Tensor],
        *,
        device: torch.device | str,
        augmentation: "Augmentation | None" = None,
        num_workers: int = 0,
    ) -> Generator["ImageSet", None, None]:
        """Yield the images of each group of positions, in order, on ``device``.

        They do not depend on how positions are grouped or on ``num_workers``.

        Args:
            groups: Positions, int64 [B] each.
            device: Where images and labels go; indices stay on the CPU.
            augmentation: How to alter the images; None leaves them as they are.
            num_workers: Processes that decode ahead; 0 decodes here. Of no use to images in memory.

        Returns:
            Sets of B images, or fewer, down to none, where images cannot be decoded.

        Raises:
            InputError: the augmentation is that of another data set, or a worker died.
        """
        raise NotImplementedError

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a SHA-256 of the images and labels, for the record of a run."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.indices)

    @final
    def pixels(self) -> Float[Tensor, "N C H W"]:
        """Return the images as float32 in [0, 1]."""
        return to_pixels(self.images)

    @final
    def carve(self, num_images: int, *, seed: int) -> tuple["AbstractImageSet", "AbstractImageSet"]:
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


@dataclass(frozen=True, eq=False)
class ImageSet(AbstractImageSet):
    """Labelled images in memory; ``AbstractImageSet`` describes its fields."""

    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, "N"]
    classes: tuple[str, ...]
    indices: Int64[Tensor, "N"]

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, classes: tuple[str, ...]) -> "ImageSet":
        """Make a set of two tensors; image i gets index i.

        Raises:
            DTypeError, ShapeError: not uint8 [N, C, H, W] and int64 [N].
            InputError: a label that no class has.
        """
        if images.dtype != torch.uint8 or labels.dtype != torch.int64:
            raise DTypeError(
                f"a data set takes uint8 images and int64 labels, got {images.dtype}, {labels.dtype}; "
                "convert pixels in [0, 1] by (255 * images).round().to(torch.uint8), labels by labels.long()"
            )
        if images.ndim != 4 or labels.shape != images.shape[:1]:
            raise ShapeError(
                "a data set takes images [N, C, H, W] and labels [N], "
                f"got {list(images.shape)} and {list(labels.shape)}"
            )
        low, high = (int(value) for value in labels.aminmax()) if len(labels) else (0, 0)
        if not 0 <= low <= high < max(1, len(classes)):
            raise InputError(f"labels must lie in [0, {len(classes)}), one per class, got {low} to {high}")
        return cls(images, labels, classes, torch.arange(len(images)))

    def at(self, positions: Tensor | slice) -> "ImageSet":
        """Return the images at ``positions``, each with its original index."""
        return ImageSet(self.images[positions], self.labels[positions], self.classes, self.indices[positions])

    def to(self, device: torch.device | str) -> "ImageSet":
        """Return the set with its images and labels on ``device``."""
        return ImageSet(self.images.to(device), self.labels.to(device), self.classes, self.indices)

    def fetch(self) -> "ImageSet":
        """Return the set itself."""
        return self

    def stream(
        self,
        groups: Sequence[Tensor],
        *,
        device: torch.device | str,
        augmentation: "Augmentation | None" = None,
        num_workers: int = 0,
    ) -> Generator["ImageSet", None, None]:
        """Yield the images of each group of positions, in order, on ``device``; no workers are needed.

        Positions go to the images' device all at once: a transfer for every group would each time wait until
        the device has done the work before it.
        """
        there = torch.cat([*groups, torch.empty(0, dtype=torch.int64)]).to(self.images.device)
        for group, positions in zip(groups, there.split([len(group) for group in groups]), strict=True):
            images, labels = self.images[positions].to(device), self.labels[positions].to(device)
            indices = self.indices[group]
            if augmentation is not None:
                images = augmentation.dataset.augment(images, generator=augmentation.streams(indices))
            yield ImageSet(images, labels, self.classes, indices)

    def fingerprint(self) -> str:
        """Return the SHA-256 of pixels and labels, for the record of a run."""
        digest = hashlib.sha256(self.images.cpu().contiguous().numpy().tobytes())
        digest.update(self.labels.cpu().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class AbstractDataset(Spec):
    """A data set by name, with its normalisation and the augmentation that its images allow.

    Attributes:
        name: What it is called, in commands and as a folder of the data root.
    """

    name: ClassVar[str]

    if TYPE_CHECKING:  # class variables of a data set that is given, fields or properties of one's own

        @property
        def num_classes(self) -> int:
            """K."""

        @property
        def image_shape(self) -> tuple[int, int, int]:
            """C, H, W of the images as a network sees them."""

        @property
        def mean(self) -> tuple[float, ...]:
            """Mean of each channel of the training images, or one number for all, pixel units."""

        @property
        def std(self) -> tuple[float, ...]:
            """Standard deviation likewise."""

    @abstractmethod
    def load(self, split: Split, root: Path | None) -> AbstractImageSet:
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


@dataclass(frozen=True)
class Augmentation:
    """How training images are altered in one pass over them.

    Args:
        dataset: Knows what its images allow.
        seed: Of the run.
        draw: Draw of the stream "augment" that image i takes; a pass of its own for each.
    """

    dataset: AbstractDataset
    seed: int
    draw: int

    def streams(self, indices: Tensor | Sequence[int]) -> Streams:
        """Return the random numbers of the images with these indices."""
        return Streams(self.seed, "augment", indices).starting_at(self.draw)


def rank_within_class(labels: Int64[Tensor, "N"]) -> Int64[Tensor, "N"]:
    """For each image the number of earlier images of its class."""
    order = labels.argsort(stable=True)
    counts = labels.bincount()
    first = counts.cumsum(0) - counts
    rank = torch.empty_like(labels)
    rank[order] = torch.arange(len(labels)) - first[labels[order]]
    return rank


def to_pixels(images: UInt8[Tensor, "*N"]) -> Float[Tensor, "*N"]:
    """Bytes as float32 in [0, 1]."""
    return images.to(torch.float32) / 255
