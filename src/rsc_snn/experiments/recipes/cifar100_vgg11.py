"""The paper's CIFAR-100 network."""

from dataclasses import replace

from rsc_snn.data import Cifar100
from rsc_snn.experiments.recipes import cifar10_vgg5
from rsc_snn.networks import VGG11
from rsc_snn.training import Recipe


def base() -> Recipe:
    """VGG-11 on CIFAR-100 (Tables 3 to 7).

    Everything but data and network is as in the CIFAR-10 recipe, since the paper states none of it. The
    layers are those of SNN-RAT's VGG-11; the paper does not define its own.

    rsc-snn train cifar100-vgg11-rsc0.1
    """
    return replace(cifar10_vgg5.base(), name="cifar100-vgg11", data=Cifar100(), network=VGG11())
