"""Beyond the paper: what can be proven."""

from rsc_snn.experiments.tables.context import CIFAR10, Asked, Context

ROWS = tuple((CIFAR10, "VGG-5", method) for method in ("RSC-0.01", "RSC-0.1", "RSC-0.5", "RSC-0.1 + E-RSCT"))


def lines(context: Context) -> list[Asked]:
    """Certified accuracy of the majority vote over the l_2 radius (beyond the paper)."""
    asked = []
    for row in ROWS:
        cells = tuple(context.certified(victim) for victim in context.networks(*row))
        asked.append(
            context.asked(("certified", *row), {"certified": tuple(cell.rows() for cell in cells)}, cells)
        )
    return asked
