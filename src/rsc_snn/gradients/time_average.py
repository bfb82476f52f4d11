"""Gradients averaged over time at every layer."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.applicability import require_spiking, spiking_obstacle
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.sites import driving
from rsc_snn.neurons import AbstractSpikingNeuron, Triangle


@dataclass(frozen=True, kw_only=True)
class TimeAverage(AbstractPath):
    """Backpropagates through a triangle, and averages over time at each neuron layer [HART, ICLR 2024].

    The membrane that a step keeps has no gradient; the gradient with respect to the current of each
    neuron is replaced by its mean over the steps. ``rs.attacks.tune_width`` finds the width for a network.

    Args:
        width: Half of the triangle's base, in units of the membrane, > 0.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        Triangle(width=self.width)  # which checks it

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let every neuron run with averaged gradients; InputError where one cannot."""
        require_spiking(self, classifier, needs_time=True)
        return driving(classifier, self._drive)

    @property
    def has_statistics(self) -> bool:
        """False."""
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """No spiking neuron, or one whose run over time is out of reach."""
        return spiking_obstacle(classifier, images, needs_time=True)

    def _drive(self, neuron: AbstractSpikingNeuron, current: Tensor) -> Tensor:
        averaged: Tensor = _Averaged.apply(current)  # type: ignore[no-untyped-call]
        return neuron.driven(averaged, Triangle(width=self.width), detach_membrane=True)


class _Averaged(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, current_TN: Tensor) -> Tensor:
        return current_TN.view_as(current_TN)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0].mean(0).expand_as(grads[0])


EXAMPLES = (TimeAverage(), TimeAverage(width=0.4))
