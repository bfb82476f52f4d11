"""Small networks of other libraries with the weights of one of ours, on images [B, 1, 2, 3]."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.networks.activation import Activation
from tests.helpers import seeded

NUM_STEPS = 4
WIDTH, NUM_CLASSES = 12, 4


def images(batch: int = 5, *, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(batch, 1, 2, 3, generator=seeded(1)).to(dtype)


LABELS = torch.tensor([0, 1, 2, 3, 0])


class OverTime(nn.Module):
    """Current [T, B, 1, 2, 3] -> logits [T, B, 4]: linear, neurons over time, linear, neurons, linear."""

    def __init__(self, make_neuron: Callable[[], nn.Module], *, seed: int = 0):
        super().__init__()
        self.first, self.second = nn.Linear(6, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, NUM_CLASSES)
        self.spikes, self.more_spikes = make_neuron(), make_neuron()
        generator = seeded(seed)
        with torch.no_grad():
            for layer in (self.first, self.second, self.last):
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
                layer.bias.copy_(0.3 * torch.randn(layer.bias.shape, generator=generator))
        self.eval()

    def forward(self, current: Tensor) -> Tensor:
        hidden = self.spikes(self.first(current.flatten(2)))
        logits: Tensor = self.last(self.more_spikes(self.second(hidden)))
        return logits


class StepByStep(nn.Module):
    """The same, by modules that see one step at a time."""

    def __init__(self, layers: OverTime):
        super().__init__()
        self.layers = layers
        self.eval()

    def forward(self, current: Tensor) -> Tensor:
        return torch.stack([self._step(current_t) for current_t in current])

    def _step(self, current: Tensor) -> Tensor:
        layers = self.layers
        hidden = layers.spikes(layers.first(current.flatten(1)))
        logits: Tensor = layers.last(layers.more_spikes(layers.second(hidden)))
        return logits


class FromImages(nn.Module):
    """Images [B, 1, 2, 3] -> logits [B, 4]: shows the image at every step and takes the mean."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images.expand(NUM_STEPS, *images.shape)).mean(0)
        return logits


def ours(neuron: rs.neurons.AbstractNeuron, *, dtype: torch.dtype = torch.float64) -> Any:
    network = OverTime(lambda: Activation(neuron)).to(dtype)
    return rs.SpikingClassifier(network, rs.codings.Direct(), NUM_STEPS).to(dtype).eval()


def loss_and_gradient(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    leaf = images.clone().requires_grad_()
    loss = nn.functional.cross_entropy(model(leaf), LABELS[: len(images)], reduction="sum")
    (gradient,) = torch.autograd.grad(loss, leaf)
    return loss.detach(), gradient


def graph_size(output: Tensor) -> int:
    """Number of nodes behind a tensor."""
    waiting, seen = [output.grad_fn], {output.grad_fn}
    while waiting:
        node = waiting.pop()
        assert node is not None
        for source, _ in node.next_functions:
            if source is not None and source not in seen:
                seen.add(source)
                waiting.append(source)
    return len(seen)
