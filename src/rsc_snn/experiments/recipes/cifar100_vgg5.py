"""VGG-5 on CIFAR-100; the paper uses VGG-11 there."""

from dataclasses import replace

from rsc_snn.data import Cifar100
from rsc_snn.experiments.recipes import cifar10_vgg5
from rsc_snn.training import Recipe


def base() -> Recipe:
    """The CIFAR-10 recipe on CIFAR-100; not an experiment of the paper.

    rsc-snn train cifar100-vgg5-rsc0.1
    """
    return replace(cifar10_vgg5.base(), name="cifar100-vgg5", data=Cifar100())
