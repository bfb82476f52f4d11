"""VGG-11 on CIFAR-10, the network of the paper's nearest competitor."""

from dataclasses import replace

from rsc_snn.experiments.recipes import cifar10_vgg5
from rsc_snn.networks import VGG11
from rsc_snn.training import Recipe


def base() -> Recipe:
    """VGG-11 on CIFAR-10 (Table 7, rows of other works): the setting of SNN-RAT, but decay 0.5 for its 1.

    rsc-snn train cifar10-vgg11-rat
    """
    return replace(cifar10_vgg5.base(), name="cifar10-vgg11", network=VGG11())
