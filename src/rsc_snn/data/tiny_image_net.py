"""Tiny-ImageNet [Le and Yang 2015, Stanford CS231n]."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import UInt8
from torch import Tensor

from rsc_snn.data.augmentation import require_padding, shift_and_flip
from rsc_snn.data.base import Split
from rsc_snn.data.tree import AbstractTreeDataset
from rsc_snn.data.views import SHIFTED_VIEW_NUMBERS, View, shifted_view
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class TinyImageNet(AbstractTreeDataset):
    """110,000 colour images of 64x64 pixels in 200 classes: 100,000 for training, 10,000 for testing.

    Training crops the image at random from its zero-padded self and mirrors it, as for CIFAR; testing shows
    it as it is. The official validation images are for testing, since those of its test have no labels.

    Args:
        padding: Largest random shift in training, in pixels.
        flip: Whether training mirrors images left to right.
    """

    name: ClassVar[str] = "tiny-imagenet"
    num_classes: ClassVar[int] = 200
    image_shape: ClassVar[tuple[int, int, int]] = (3, 64, 64)
    mean: ClassVar[tuple[float, ...]] = (0.4802, 0.4481, 0.3975)
    std: ClassVar[tuple[float, ...]] = (0.2770, 0.2691, 0.2821)
    repository: ClassVar[str] = "zh-plus/tiny-imagenet"
    num_images: ClassVar[dict[Split, int]] = {"train": 100_000, "test": 10_000}
    num_numbers: ClassVar[int] = SHIFTED_VIEW_NUMBERS

    padding: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        require_padding(self.padding, self.image_shape)

    def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
        """Choose the whole image, shifted and mirrored in training."""
        if (height, width) != self.image_shape[1:]:
            raise ValueError(f"it has {width}x{height} pixels, images of {self.name} have 64x64")
        if numbers is None:
            return View(0, 0, width, height)
        return shifted_view(width, height, numbers, padding=self.padding, flip=self.flip)

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return images shifted by up to ``padding`` pixels and, if ``flip``, mirrored half of the time."""
        return shift_and_flip(images, padding=self.padding, flip=self.flip, generator=generator)


EXAMPLES = (TinyImageNet(),)
