"""Beyond the paper: the reliable protocol over attack strength."""

from rsc_snn.attacks.suites import RELIABLE
from rsc_snn.evaluation.summary import WORST
from rsc_snn.experiments.tables.context import CIFAR10, EPS, Asked, Context

ROWS = tuple((CIFAR10, "VGG-5", method) for method in ("Direct", "RSC-0.1"))
WEAKER = (2 / 255, 4 / 255)


def lines(context: Context) -> list[Asked]:
    """Accuracy under the reliable protocol over eps (beyond the paper)."""
    asked = []
    for row in ROWS:
        victims = context.networks(*row)
        weaker = tuple(context.reliably(*row[:2], victim, WEAKER) for victim in victims)
        strongest = tuple(context.reliably(*row[:2], victim) for victim in victims)
        for eps in (*WEAKER, EPS):
            cells = strongest if eps == EPS else weaker
            numbers = {RELIABLE: tuple(cell.rows(WORST, eps=eps) for cell in cells)}
            asked.append(context.asked(("eps", *row), numbers, cells, {"eps": eps}))
    return asked
