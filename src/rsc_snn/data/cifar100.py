"""CIFAR-100 [Krizhevsky 2009]."""

from dataclasses import dataclass
from typing import ClassVar

from rsc_snn.data.hub import AbstractHubDataset


@dataclass(frozen=True, kw_only=True)
class Cifar100(AbstractHubDataset):
    """60,000 colour images of 32x32 pixels in 100 classes: 50,000 for training, 10,000 for testing."""

    name: ClassVar[str] = "cifar100"
    num_classes: ClassVar[int] = 100
    image_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    mean: ClassVar[tuple[float, ...]] = (0.5071, 0.4865, 0.4409)
    std: ClassVar[tuple[float, ...]] = (0.2673, 0.2564, 0.2762)
    repository: ClassVar[str] = "uoft-cs/cifar100"
    image_column: ClassVar[str] = "img"
    label_column: ClassVar[str] = "fine_label"


EXAMPLES = (Cifar100(),)
