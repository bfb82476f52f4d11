"""ImageNet-1k [ILSVRC 2012, arXiv:1409.0575]."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import UInt8
from torch import Tensor

from rsc_snn.data.augmentation import random_crops, require_share
from rsc_snn.data.base import Split
from rsc_snn.data.tree import AbstractTreeDataset
from rsc_snn.data.views import RANDOM_VIEW_NUMBERS, View, centre_view, random_view
from rsc_snn.rng import Randomness

_RESIZED = 256


@dataclass(frozen=True, kw_only=True)
class ImageNet(AbstractTreeDataset):
    """1,331,167 photographs in 1,000 classes, shown at 224x224: 1,281,167 for training, 50,000 for testing.

    Training shows a random part of the photograph, testing the middle 224 pixels of its shorter side resized
    to 256. The official validation images are for testing, since those of its test have no labels.

    Args:
        smallest_area: Smallest share of a photograph that training shows, in (0, 1].
        flip: Whether training mirrors images left to right.
    """

    name: ClassVar[str] = "imagenet"
    num_classes: ClassVar[int] = 1000
    image_shape: ClassVar[tuple[int, int, int]] = (3, 224, 224)
    mean: ClassVar[tuple[float, ...]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, ...]] = (0.229, 0.224, 0.225)
    repository: ClassVar[str] = "ILSVRC/imagenet-1k"
    num_images: ClassVar[dict[Split, int]] = {"train": 1_281_167, "test": 50_000}
    num_numbers: ClassVar[int] = RANDOM_VIEW_NUMBERS

    smallest_area: float = 0.08
    flip: bool = True

    def __post_init__(self) -> None:
        require_share("smallest_area", self.smallest_area)

    def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
        """Choose a random part in training, the middle in testing."""
        if numbers is None:
            return centre_view(width, height, resized=_RESIZED, shown=self.image_shape[1])
        return random_view(width, height, numbers, smallest_area=self.smallest_area, flip=self.flip)

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return random parts of images that are in memory, interpolated to their size."""
        choose = functools.partial(random_view, smallest_area=self.smallest_area, flip=self.flip)
        return random_crops(images, choose, generator=generator)


EXAMPLES = (ImageNet(),)
