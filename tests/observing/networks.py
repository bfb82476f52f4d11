"""Networks whose spikes are known, or that are small enough to be counted again in another way."""

import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.networks.activation import Activation
from tests.helpers import seeded

NUM_STEPS = 4


class Handmade(nn.Module):
    """Two pixels, each to a neuron of its own by weight 1, and three outputs by weights 1 to 6."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2, bias=False)
        self.activation = Activation(rs.neurons.LIF(decay=0.5, threshold=1.0))
        self.readout = nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.eye(2))
            self.readout.weight.copy_(torch.arange(1.0, 7.0).reshape(3, 2))

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        logits: Tensor = self.readout(self.activation(self.linear(current_TBCHW.flatten(2))))
        return logits


def handmade(coding: rs.codings.AbstractCoding) -> SpikingClassifier:
    return SpikingClassifier(Handmade(), coding, NUM_STEPS)


def settled(
    spec: rs.networks.AbstractNetwork,
    coding: rs.codings.AbstractCoding,
    *,
    image_shape: tuple[int, int, int],
    neuron: rs.neurons.AbstractNeuron = rs.neurons.LIF(),
    num_steps: int = 3,
) -> SpikingClassifier:
    """A classifier in float64, whose normalisation has seen some images, in eval mode."""
    network = spec.build(num_classes=5, image_shape=image_shape, neuron=neuron, generator=seeded(0))
    classifier = SpikingClassifier(network, coding, num_steps, (0.4,), (0.3,)).double()
    with torch.no_grad():
        for step in range(4):
            images = torch.rand(4, *image_shape, generator=seeded(step), dtype=torch.float64)
            classifier.train().logits(images, seeded(step))
    return classifier.eval()


def images_of(shape: tuple[int, int, int], count: int = 2) -> Tensor:
    return torch.rand(count, *shape, generator=seeded(9), dtype=torch.float64)
