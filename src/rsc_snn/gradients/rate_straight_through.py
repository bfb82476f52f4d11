"""Straight-through on the firing rate."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.applicability import require_spiking, spiking_obstacle
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.derivatives import differentiated
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.sites import driving
from rsc_snn.neurons import AbstractSpikingNeuron


@dataclass(frozen=True, kw_only=True)
class RateStraightThrough(AbstractPath):
    """Passes the gradient unchanged through every neuron that fired at least once [BPTR of SNN-RAT].

    At every step the gradient of a neuron's current is that of its spike, or 0 if it was silent throughout.
    """

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let every neuron run with this derivative; InputError where one cannot."""
        require_spiking(self, classifier, needs_time=True)
        return driving(classifier, _drive)

    @property
    def has_statistics(self) -> bool:
        """False."""
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """No spiking neuron, or one whose run over time is out of reach."""
        return spiking_obstacle(classifier, images, needs_time=True)


def _drive(neuron: AbstractSpikingNeuron, current: Tensor) -> Tensor:
    with torch.no_grad():
        spikes = neuron.over_time(current)
    has_fired = (spikes > 0).any(0).to(current.dtype)
    return differentiated(current, lambda _: spikes, has_fired)


EXAMPLES = (RateStraightThrough(),)
