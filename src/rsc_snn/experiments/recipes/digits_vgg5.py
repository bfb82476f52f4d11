"""A small VGG-5 on the embedded digits, for demo, tests and first steps."""

from rsc_snn.codings import Direct
from rsc_snn.data import Digits
from rsc_snn.networks import VGG5
from rsc_snn.neurons import LIF
from rsc_snn.training import Recipe, Training


def base() -> Recipe:
    """VGG-5 with hidden width 256 at T=4 on 8x8 digits; not an experiment of the paper.

    rsc-snn train digits-vgg5-rsc0.1
    """
    return Recipe(
        name="digits-vgg5",
        data=Digits(),
        coding=Direct(),
        network=VGG5(hidden_width=256),
        neuron=LIF(),
        num_steps=4,
        training=Training(epochs=12, batch_size=64, num_validation=141),
    )
