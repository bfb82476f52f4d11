"""Table 7: comparison with other works."""

from rsc_snn.experiments.tables.context import CIFAR10, CIFAR100, Asked, Context

ROWS = (
    (CIFAR10, "VGG-5", "Vanilla"),
    (CIFAR10, "VGG-11", "SNN-RAT"),
    (CIFAR10, "VGG-5", "RSC-0.1 + E-RSCT"),
    (CIFAR100, "VGG-11", "Vanilla"),
    (CIFAR100, "VGG-11", "SNN-RAT"),
    (CIFAR100, "VGG-11", "RSC-0.1 + E-RSCT"),
)


def lines(context: Context) -> list[Asked]:
    """RSC with E-RSCT beside the vanilla network (direct coding) and SNN-RAT, which is measured too."""
    return [context.white_box("table7", row) for row in ROWS]
