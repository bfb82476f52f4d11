"""Table 3: white-box attacks."""

from rsc_snn.experiments.tables.context import CIFAR10, CIFAR100, IMAGENET, TINY, Asked, Context

_CODINGS = ("ANN", "Direct", "Poisson", "RSC-0.01", "RSC-0.1")
ROWS = (
    *((CIFAR10, "VGG-5", method) for method in _CODINGS),
    *((CIFAR100, "VGG-11", method) for method in _CODINGS),
    *((TINY, "VGG-16", method) for method in _CODINGS),
    *((IMAGENET, "ResNet-19", method) for method in ("ANN", "Direct", "Poisson", "RSC-0.1")),
    *((IMAGENET, "SEW-ResNet-18", method) for method in ("Direct", "Poisson", "RSC-0.1")),
)


def lines(context: Context) -> list[Asked]:
    """White-box FGSM and PGD on the ANN and on three codings, four data sets."""
    return [context.white_box("table3", row) for row in ROWS]
