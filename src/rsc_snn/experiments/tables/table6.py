"""Table 6: E-RSCT."""

from rsc_snn.experiments.tables.context import CIFAR10, CIFAR100, IMAGENET, TINY, Asked, Context

_NETWORKS = ((CIFAR10, "VGG-5"), (CIFAR100, "VGG-11"), (TINY, "VGG-16"), (IMAGENET, "SEW-ResNet-18"))
ROWS = tuple((*pair, method) for pair in _NETWORKS for method in ("RSC-0.1", "RSC-0.1 + E-RSCT"))


def lines(context: Context) -> list[Asked]:
    """RSC with and without E-RSCT, white-box FGSM and PGD; the paper calls the former "baseline"."""
    return [context.white_box("table6", row) for row in ROWS]
