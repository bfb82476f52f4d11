"""Table 4: black-box attacks."""

from rsc_snn.experiments.tables.context import CIFAR10, CIFAR100, IMAGENET, TINY, Asked, Context

_NETWORKS = ((CIFAR10, "VGG-5"), (CIFAR100, "VGG-11"), (TINY, "VGG-16"), (IMAGENET, "SEW-ResNet-18"))
ROWS = tuple((*pair, method) for pair in _NETWORKS for method in ("Direct", "Poisson", "RSC-0.1"))


def lines(context: Context) -> list[Asked]:
    """Black-box FGSM and PGD, made on a separately trained network of the same architecture.

    The paper does not give the coding of that network; it is taken to be the victim's, with the next seed.
    """
    asked = []
    for row in ROWS:
        victims = context.networks(*row)
        cells = tuple(context.transferred(v, context.network(*row, v.seed + 1)) for v in victims)
        numbers = {name: tuple(cell.rows(name) for cell in cells) for name in ("FGSM", "PGD")}
        asked.append(context.asked(("table4", *row), numbers, cells))
    return asked
