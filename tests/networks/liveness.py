"""The promise of a fresh network: every hidden layer fires, every parameter learns."""

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import AbstractCoding, Direct, Poisson, RandomizedSmoothing
from rsc_snn.networks import AbstractNetwork
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons import AbstractNeuron
from tests.helpers import seeded

CODINGS = [
    Direct(),
    Poisson(),
    RandomizedSmoothing(variance=0.01),
    RandomizedSmoothing(variance=0.1),
    RandomizedSmoothing(variance=0.1, resample_each_step=True),
]


def check_alive(
    spec: AbstractNetwork,
    *,
    num_neuron_layers: int,
    coding: AbstractCoding,
    neuron: AbstractNeuron,
    images: Tensor,
    seed: int,
) -> None:
    """Training mode, T=4: every neuron layer fires 1 to 60 %, every parameter gets a gradient.

    Rates are those of the neurons themselves, not of sums of spikes.
    """
    _, channels, height, width = images.shape
    network = spec.build(image_shape=(channels, height, width), neuron=neuron, generator=seeded(seed))
    rates: list[float] = []
    for module in network.modules():
        if isinstance(module, Activation):
            module.register_forward_hook(lambda m, i, out: rates.append(float(out.detach().mean())))
    num_steps = 4 if neuron.is_spiking else 1
    classifier = SpikingClassifier(network, coding, num_steps, (0.4,), (0.3,)).train()
    logits = classifier.logits(images, seeded(seed))
    torch.nn.functional.cross_entropy(logits, torch.arange(len(images)) % 10).backward()
    assert len(rates) == num_neuron_layers
    if neuron.is_spiking:
        assert all(0.01 <= rate <= 0.60 for rate in rates), rates
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def digits(num_images: int = 32) -> Tensor:
    """Handwritten digits, 8x8, grey."""
    return torch.tensor(load_digits().images[:num_images], dtype=torch.float32)[:, None] / 16


def generated(num_images: int = 32) -> Tensor:
    """Colour pictures of smooth blobs, with the spread of natural ones."""
    coarse = torch.rand(num_images, 3, 4, 4, generator=seeded(0))
    return torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")


SOURCES = {"digits": digits, "generated": generated}
