"""Fashion-MNIST [arXiv:1708.07747]."""

from dataclasses import dataclass
from typing import ClassVar

from rsc_snn.data.hub import AbstractHubDataset


@dataclass(frozen=True, kw_only=True)
class FashionMnist(AbstractHubDataset):
    """70,000 grey images of 28x28 pixels in 10 classes: 60,000 for training, 10,000 for testing.

    Args:
        padding: Largest random shift in training, in pixels.
        flip: Whether training mirrors images left to right.
    """

    name: ClassVar[str] = "fashion-mnist"
    num_classes: ClassVar[int] = 10
    image_shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    mean: ClassVar[tuple[float, ...]] = (0.2860,)
    std: ClassVar[tuple[float, ...]] = (0.3530,)
    repository: ClassVar[str] = "zalando-datasets/fashion_mnist"
    image_column: ClassVar[str] = "image"
    label_column: ClassVar[str] = "label"

    padding: int = 2


EXAMPLES = (FashionMnist(),)
