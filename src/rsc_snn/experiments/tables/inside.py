"""Beyond the paper: what neurons do."""

from rsc_snn.experiments.tables.context import CIFAR10, Asked, Context
from rsc_snn.runs.reproduction import Rows

ROWS = tuple((CIFAR10, "VGG-5", method) for method in ("Direct", "RSC-0.1"))


def lines(context: Context) -> list[Asked]:
    """Image strips, rasters and firing rates of the direct network and of RSC (beyond the paper)."""
    asked = []
    for row in ROWS:
        cells = tuple(context.observed(victim) for victim in context.networks(*row)[:1])
        rows = tuple(Rows(cell=cell.key, run=cell.run, file="activity.jsonl", where={}) for cell in cells)
        asked.append(context.asked(("inside", *row), {"activity": rows}, cells))
    return asked
