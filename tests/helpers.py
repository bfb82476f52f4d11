"""Toy victims whose right answers are known, and seeds."""

import copy
import functools

import torch
from torch import Generator, Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier

SMALL = rs.networks.VGG5(hidden_width=64, width_divisor=4)  # channels 16, 32, 32, hidden 16


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


class Linear(nn.Module):
    """Two logits, -w.x and +w.x, over T steps: the worst point of any ball around x is known."""

    def __init__(self, weight: Tensor):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        score = (current_TBCHW * self.weight).sum((2, 3, 4))
        return torch.stack([-score, score], dim=-1)


class Smooth(nn.Module):
    """A small smooth network on images, for comparison with other libraries."""

    def __init__(self, num_classes: int = 5, *, seed: int = 0):
        super().__init__()
        self.first = nn.Linear(3 * 6 * 6, 16)
        self.second = nn.Linear(16, num_classes)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=seeded(seed)))
        self.double().eval()

    def forward(self, images_BCHW: Tensor) -> Tensor:
        logits: Tensor = self.second(torch.tanh(self.first(images_BCHW.flatten(1) - 0.5)))
        return logits


class Noisy(nn.Module):
    """Right with a fixed probability whatever the image: noise from torch's global generator."""

    def __init__(self, accuracy: float, num_classes: int = 4):
        super().__init__()
        self.accuracy, self.num_classes = accuracy, num_classes

    def forward(self, images_BCHW: Tensor) -> Tensor:
        label = (images_BCHW[:, 0, 0, 0] * 8).round().long()
        is_right = torch.rand(len(images_BCHW), device=images_BCHW.device) < self.accuracy
        answer = torch.where(is_right, label, (label + 1) % self.num_classes)
        logits = nn.functional.one_hot(answer, self.num_classes).to(images_BCHW.dtype)
        return logits + 1e-3 * images_BCHW.flatten(1).sum(1, keepdim=True)


def small_classifier(
    coding: rs.codings.AbstractCoding | None = None,
    *,
    num_steps: int = 2,
    seed: int = 0,
    spec: rs.networks.VGG5 = SMALL,
) -> SpikingClassifier:
    """A tiny spiking VGG-5 on 8x8 grey images, in eval mode, its normalisation settled on random images."""
    return copy.deepcopy(_settled(coding or rs.codings.Direct(), num_steps, seed, spec))


@functools.cache
def _settled(
    coding: rs.codings.AbstractCoding, num_steps: int, seed: int, spec: rs.networks.VGG5
) -> SpikingClassifier:
    network = spec.build(num_classes=10, image_shape=(1, 8, 8), generator=seeded(seed))
    classifier = SpikingClassifier(network, coding, num_steps, (0.3,), (0.4,))
    with torch.no_grad():
        for step in range(20):
            classifier.train().logits(torch.rand(32, 1, 8, 8, generator=seeded(step)), seeded(step))
    return classifier.eval()
