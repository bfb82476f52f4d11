"""CIFAR-10 [Krizhevsky 2009]."""

from dataclasses import dataclass
from typing import ClassVar

from rsc_snn.data.hub import AbstractHubDataset


@dataclass(frozen=True, kw_only=True)
class Cifar10(AbstractHubDataset):
    """60,000 colour images of 32x32 pixels in 10 classes: 50,000 for training, 10,000 for testing."""

    name: ClassVar[str] = "cifar10"
    num_classes: ClassVar[int] = 10
    image_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    mean: ClassVar[tuple[float, ...]] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[tuple[float, ...]] = (0.2470, 0.2435, 0.2616)
    repository: ClassVar[str] = "uoft-cs/cifar10"
    image_column: ClassVar[str] = "img"
    label_column: ClassVar[str] = "label"


EXAMPLES = (Cifar10(),)
