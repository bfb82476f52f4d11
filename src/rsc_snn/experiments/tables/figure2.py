"""Figure 2: how alike RSC and Poisson coding are."""

from rsc_snn.experiments.cells import Theorems
from rsc_snn.experiments.tables.context import CIFAR10, Asked, Context

ROW = (CIFAR10, "VGG-5", "RSC-0.1")


def lines(context: Context) -> list[Asked]:
    """Coded images and their cosine similarity, with Theorems 3.2 and 3.3 on random and trained layers."""
    cell = Theorems(network=context.network(*ROW, context.seeds[0]), seed=context.seeds[0])
    return [context.asked(("figure2", *ROW), {"theory": (cell.rows(),)}, (cell,))]
