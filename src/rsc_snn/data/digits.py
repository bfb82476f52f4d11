"""The handwritten digits that scikit-learn ships: no download, for demo, tests and first steps."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import UInt8
from torch import Tensor

from rsc_snn.data.augmentation import require_padding, shift_and_flip
from rsc_snn.data.base import AbstractDataset, ImageSet, Split, rank_within_class
from rsc_snn.rng import Randomness

_TEST_EVERY = 5


@dataclass(frozen=True, kw_only=True)
class Digits(AbstractDataset):
    """1,797 grey images of 8x8 pixels, 10 classes [UCI Optical Recognition of Handwritten Digits].

    Every fifth image of each class, in the source's order, is a test image: 355 for testing, 1,442 for
    training. Their 17 grey levels become bytes by round(255 * level / 16). Digits are never mirrored.

    Args:
        padding: Largest random shift in training, in pixels.
    """

    name: ClassVar[str] = "digits"
    num_classes: ClassVar[int] = 10
    image_shape: ClassVar[tuple[int, int, int]] = (1, 8, 8)
    mean: ClassVar[tuple[float, ...]] = (0.305,)
    std: ClassVar[tuple[float, ...]] = (0.376,)

    padding: int = 1

    def __post_init__(self) -> None:
        require_padding(self.padding, self.image_shape)

    def load(self, split: Split, root: Path | None) -> ImageSet:
        """Return a split; ``root`` is not needed."""
        from sklearn.datasets import load_digits

        source = load_digits()
        levels, labels = torch.from_numpy(source.images), torch.from_numpy(source.target).long()
        is_test = rank_within_class(labels) % _TEST_EVERY == _TEST_EVERY - 1
        chosen = is_test if split == "test" else ~is_test
        images = (levels * (255 / 16)).round().to(torch.uint8)[:, None]
        return ImageSet.of(images[chosen], labels[chosen], tuple("0123456789"))

    def locate(self, root: Path | None) -> str:
        """They come with scikit-learn."""
        return "embedded in scikit-learn"

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return images shifted by up to ``padding`` pixels."""
        return shift_and_flip(images, padding=self.padding, flip=False, generator=generator)


EXAMPLES = (Digits(),)
