"""The paper's CIFAR-10 network."""

from rsc_snn.codings import Direct
from rsc_snn.data import Cifar10
from rsc_snn.networks import VGG5
from rsc_snn.neurons import LIF
from rsc_snn.training import Recipe, Training


def base() -> Recipe:
    """VGG-5 on CIFAR-10 (Tables 3 to 6).

    The paper states neither T nor optimiser, schedule, batch, surrogate, decay or threshold. Taken from
    SNN-RAT, whose protocol it follows: T=8, SGD with momentum 0.9, rate 0.1, cosine to 0, batch 64, weight
    decay 5e-4, crop and flip, triangle surrogate of width 1, threshold 1. Chosen otherwise: decay 0.5, the
    common choice for Eq. 1 (theirs is 1), 100 epochs (theirs are 200), the first of them a linear warm-up
    (theirs has none); 1,000 training images are kept for validation. Not yet run at full size: about
    25 images/s on two CPU cores, hence days.

    rsc-snn train cifar10-vgg5-rsc0.1
    """
    return Recipe(
        name="cifar10-vgg5",
        data=Cifar10(),
        coding=Direct(),
        network=VGG5(),
        neuron=LIF(),
        num_steps=8,
        training=Training(epochs=100),
    )
