"""The derivative of a layer's firing rate with respect to its mean current."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.gradients.applicability import require_spiking, spiking_obstacle
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.derivatives import differentiated
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.sites import driving
from rsc_snn.neurons import AbstractSpikingNeuron


@dataclass(frozen=True, kw_only=True)
class RateGradient(AbstractPath):
    """Differentiates firing rates instead of spikes [RGA, CVPR 2023].

    The gradient of a layer's spikes is multiplied, at every step, by the slope of a piecewise linear rate
    at x, the neuron's current averaged over time and divided by its threshold. With the neuron's decay d:
    gamma for 0 <= x <= 1 - d, (1 - gamma + gamma d) / (1 + d) for 1 - d < x <= 2, and 0 elsewhere. The source
    has a threshold of 1; for another the slope is divided by it, as the chain rule has it.

    Args:
        gamma: Slope below 1 - d, where a constant current never fires, in [0, 1], dimensionless.
    """

    gamma: float = 0.2

    def __post_init__(self) -> None:
        if not (0 <= self.gamma <= 1):
            raise RangeError(f"gamma must lie in [0, 1], got {self.gamma}")

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let every neuron run with the derivative of its rate; InputError where one cannot."""
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
        rest, mean = 1 - neuron.decay, current.detach().mean(0) / neuron.threshold
        upper = (1 - self.gamma + self.gamma * neuron.decay) / (1 + neuron.decay)
        slope = torch.full_like(mean, upper).masked_fill(mean <= rest, self.gamma)
        slope = slope.masked_fill((mean < 0) | (mean > 2), 0.0)
        return differentiated(current, neuron.over_time, slope / neuron.threshold)


EXAMPLES = (RateGradient(), RateGradient(gamma=0.5))
