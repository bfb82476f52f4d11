"""A network of two layers of two neurons, and its gradient by a time loop written out here.

A spike with derivative phi' is written as step(u) + phi(u) - phi(u).detach(), so that autograd differentiates
phi: neither the neurons nor the paths of the library take part.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons import LIF, AbstractNeuron
from tests.helpers import SMALL, seeded

DECAY, THRESHOLD, NUM_STEPS = 0.7, 0.8, 4
NEURON = LIF(decay=DECAY, threshold=THRESHOLD)
NOISY = rs.codings.RandomizedSmoothing(variance=0.05, resample_each_step=True)
FIRST = torch.tensor([[0.9, -0.3], [0.5, 0.6]], dtype=torch.float64)
SECOND = torch.tensor([[0.7, 0.4], [-0.4, 1.1]], dtype=torch.float64)
READOUT = torch.tensor([[1.0, -0.5], [-0.7, 0.8], [0.3, 0.2]], dtype=torch.float64)

Phi = Callable[[Tensor, int, int], Tensor]  # u [B, 2], layer, step -> an integral of the derivative
Layer = Callable[[Tensor, int], Tensor]  # current [T, B, 2], layer -> spikes [T, B, 2]


class TwoLayers(nn.Module):
    """Current [T, B, 1, 1, 2] -> logits [T, B, 3]."""

    def __init__(self, neuron: AbstractNeuron = NEURON):
        super().__init__()
        self.first, self.second = Activation(neuron), Activation(neuron)

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        hidden = self.first(current_TBCHW.flatten(2) @ FIRST.T)
        logits: Tensor = self.second(hidden @ SECOND.T) @ READOUT.T
        return logits


def toy(
    coding: rs.codings.AbstractCoding | None = None, *, neuron: AbstractNeuron = NEURON
) -> SpikingClassifier:
    network = TwoLayers(neuron)
    return SpikingClassifier(network, coding or rs.codings.Direct(), NUM_STEPS).double().eval()


def rowwise(coding: rs.codings.AbstractCoding) -> SpikingClassifier:
    """The toy, which says that its rows can be passed apart; of a module that is not ours nobody knows."""
    return _Rowwise(TwoLayers(), coding, NUM_STEPS).double().eval()


class _Rowwise(SpikingClassifier):
    @property
    def has_noise_of_its_own(self) -> bool:
        return False


def lively(coding: rs.codings.AbstractCoding) -> SpikingClassifier:
    """A small VGG-5 on 8x8 images whose layers fire at rates of 14 to 40 % and let gradients through."""
    network = SMALL.build(num_classes=10, image_shape=(1, 8, 8), neuron=LIF(decay=0.9), generator=seeded(0))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Linear | nn.BatchNorm2d):
                module.weight.mul_(2)
    return SpikingClassifier(network, coding, NUM_STEPS, (0.3,), (0.4,)).eval()


def toy_batch() -> tuple[Tensor, Tensor]:
    pixels = [[0.9, 0.3], [0.55, 0.8], [0.2, 0.65], [0.7, 0.75]]
    return torch.tensor(pixels, dtype=torch.float64).reshape(4, 1, 1, 2), torch.tensor([0, 1, 2, 0])


def gradient_by_hand(images: Tensor, labels: Tensor, layer: Layer, noise: Tensor | None = None) -> Tensor:
    """Gradient of cross-entropy; ``noise`` [T, B, 1, 1, 2] is added and clamped."""
    leaf = images.clone().requires_grad_()
    current = (leaf + noise).clamp(0, 1) if noise is not None else leaf.expand(NUM_STEPS, *leaf.shape)
    (gradient,) = torch.autograd.grad(loss_by_hand(current, labels, layer), leaf)
    return gradient


def loss_by_hand(current_TBCHW: Tensor, labels: Tensor, layer: Layer) -> Tensor:
    """Cross-entropy, summed over the images."""
    hidden = layer(current_TBCHW.flatten(2) @ FIRST.T, 0)
    logits = (layer(hidden @ SECOND.T, 1) @ READOUT.T).mean(0)
    return functional.cross_entropy(logits, labels, reduction="sum")


def time_loop(phi: Phi, *, detach_reset: bool = False, detach_membrane: bool = False) -> Layer:
    def layer(current_TBN: Tensor, number: int) -> Tensor:
        kept, fired = torch.zeros_like(current_TBN[0]), []
        for step in range(NUM_STEPS):
            membrane = DECAY * kept + current_TBN[step]
            u = membrane - THRESHOLD
            smooth = phi(u, number, step)
            spike = (u >= 0).double() + smooth - smooth.detach()
            kept = membrane * (1 - (spike.detach() if detach_reset else spike))
            kept = kept.detach() if detach_membrane else kept
            fired.append(spike)
        return torch.stack(fired)

    return layer


def spikes_by_hand(current_TBN: Tensor) -> Tensor:
    return time_loop(lambda u, layer, step: 0 * u)(current_TBN.detach(), 0)
