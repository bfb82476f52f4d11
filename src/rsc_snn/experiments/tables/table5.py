"""Table 5: adversarial training."""

from rsc_snn.experiments.tables.context import CIFAR10, CIFAR100, Asked, Context

_NETWORKS = ((CIFAR10, "VGG-5"), (CIFAR100, "VGG-11"))
ROWS = tuple((*pair, method) for pair in _NETWORKS for method in ("RSC-0.1", "RSC-0.1 + Adv"))


def lines(context: Context) -> list[Asked]:
    """RSC with and without adversarial training, white-box FGSM and PGD."""
    return [context.white_box("table5", row) for row in ROWS]
