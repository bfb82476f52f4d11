"""Figure 3: the noise level."""

from rsc_snn.experiments.tables.context import CIFAR10, Asked, Context
from rsc_snn.experiments.tables.figure1 import over_eps

METHODS = {0.01: "RSC-0.01", 0.1: "RSC-0.1", 0.5: "RSC-0.5"}


def lines(context: Context) -> list[Asked]:
    """Accuracy over the variance 0.01, 0.1, 0.5 under FGSM and PGD of eps 2, 4, 6, 8/255.

    The paper does not name the data set; CIFAR-10 is taken.
    """
    return [
        asked
        for variance, method in METHODS.items()
        for asked in over_eps(context, ("figure3", CIFAR10, "VGG-5", method), {"variance": variance})
    ]
