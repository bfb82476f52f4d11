"""VGG-5 on Fashion-MNIST, a small second data set."""

from dataclasses import replace

from rsc_snn.data import FashionMnist
from rsc_snn.experiments.recipes import cifar10_vgg5
from rsc_snn.training import Recipe


def base() -> Recipe:
    """The CIFAR-10 recipe on Fashion-MNIST; not an experiment of the paper.

    rsc-snn train fashion-mnist-vgg5-rsc0.1
    """
    return replace(cifar10_vgg5.base(), name="fashion-mnist-vgg5", data=FashionMnist())
