"""Table 4: black-box attacks, transferred from a separately trained network of the same architecture."""

from rsc_snn.paper.number import Number
from rsc_snn.paper.rows import Block, Derived

_NOTE = (
    "the source runs nineteen cells into one; they are put back in the order of the rows, which the row's "
    "F-QTE confirms"
)


def _mixed(block: Block, method: str, clean: float, fgsm: float, *rest: float) -> tuple[Number, ...]:
    """A row whose first two cells are among those that run into one."""
    return block.row(method, Derived(clean, _NOTE), Derived(fgsm, _NOTE), *rest)


_CIFAR10 = Block("table4", "CIFAR-10", "VGG-5")
_CIFAR100 = Block("table4", "CIFAR-100", "VGG-11")
_TINY = Block("table4", "Tiny-ImageNet", "VGG-16")
_SEW = Block("table4", "ImageNet", "SEW-ResNet-18")

NUMBERS = (
    *_CIFAR10.row("Direct", 90.69, 20.75, 3.52, 4.46, 3.77),
    *_CIFAR10.row("Poisson", 83.18, 43.06, 36.15, 5.05, 4.77),
    *_CIFAR10.row("RSC-0.1", 80.29, Derived(59.25, _NOTE), 49.55, 5.58, 5.19),
    *_mixed(_CIFAR100, "Direct", 72.45, 11.79, 4.08, 3.37, 3.06),
    *_mixed(_CIFAR100, "Poisson", 58.49, 31.03, 27.36, 3.58, 3.43),
    *_mixed(_CIFAR100, "RSC-0.1", 57.05, 41.74, 35.56, 3.95, 3.70),
    *_mixed(_TINY, "Direct", 57.90, 14.82, 8.15, 2.91, 2.64),
    *_mixed(_TINY, "Poisson", 48.14, 21.22, 16.73, 2.77, 2.59),
    *_mixed(_TINY, "RSC-0.1", 47.47, 35.06, 29.40, 3.30, 3.07),
    *_mixed(_SEW, "Direct", 64.40, 15.75, 11.89, 3.21, 3.05),
    *_mixed(_SEW, "Poisson", 52.29, 16.87, 16.65, 2.77, 2.76),
    *_mixed(_SEW, "RSC-0.1", 53.79, 29.52, 27.91, 3.33, 3.27),
)
