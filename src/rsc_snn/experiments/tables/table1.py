"""Table 1: the checklist of obfuscated gradients."""

from rsc_snn.experiments.tables.context import CIFAR10, Asked, Context

ROW = (CIFAR10, "VGG-5", "RSC-0.1")


def lines(context: Context) -> list[Asked]:
    """Checklist for obfuscated gradients: five signs, each measured by the audit of RSC-0.1.

    The paper does not say on which network; candidates are transferred from the ANN twin, the direct network
    and a separately trained one of the same kind.
    """
    found = []
    for victim in context.networks(*ROW):
        sources = [context.network(*ROW[:2], method, victim.seed) for method in ("ANN", "Direct")]
        cell = context.audited(victim, (*sources, context.network(*ROW, victim.seed + 1)))
        found.append(cell)
    numbers = {"audit": tuple(cell.rows() for cell in found)}
    return [context.asked(("table1", *ROW), numbers, tuple(found))]
