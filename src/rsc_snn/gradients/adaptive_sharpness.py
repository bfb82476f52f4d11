"""The adaptive-sharpness surrogate. Axes: S draws, B images."""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.gradients.applicability import require_spiking, spiking_obstacle
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.derivatives import spikes
from rsc_snn.gradients.memory import Memory, Statistics
from rsc_snn.gradients.sites import Place, firing

_TINY = 1e-4


@dataclass(frozen=True, kw_only=True)
class AdaptiveSharpness(AbstractPath):
    """Backpropagates through an arctangent as sharp as the membranes allow [ASSG, arXiv:2512.22512].

    Every (layer, time step, neuron, image) follows a = |membrane - threshold|, averaged over the draws, from
    one attack step to the next: M <- b1 M + (1 - b1) a and then D <- b2 D + (1 - b2) |a - M|, from M = 1 and
    D = 0. With alpha = omega / (M + num_deviations D + 1e-4) and omega = 2 / pi * tan(pi * coverage) the
    derivative of the spike is alpha / 2 / (1 + (pi / 2 * alpha * u)^2): the surrogate's mass between -u and u
    is then on average at most 2 * coverage. A step takes in its own membranes before it is differentiated.

    The gradient ignores that a spike resets the membrane, as in the source, where the neuron can say so: it
    runs as ``replace(neuron, detach_reset=True)``. A neuron without this field keeps its reset's gradient.

    Args:
        coverage: Half of the surrogate's mass that lies within the typical membrane, in (0, 0.5). The
            source uses 0.425, and searches 0.35 to 0.49.
        mean_decay: b1, share of M that a step keeps, in [0, 1).
        deviation_decay: b2, share of D that a step keeps, in [0, 1).
        num_deviations: Weight of D, >= 0.
    """

    coverage: float = 0.425
    mean_decay: float = 0.9
    deviation_decay: float = 0.9
    num_deviations: float = 1.5

    def __post_init__(self) -> None:
        if not (0 < self.coverage < 0.5):
            raise RangeError(f"coverage must lie in (0, 0.5), got {self.coverage}")
        for name, decay in (("mean_decay", self.mean_decay), ("deviation_decay", self.deviation_decay)):
            if not (0 <= decay < 1):
                raise RangeError(f"{name} must lie in [0, 1), got {decay}")
        if not (0 <= self.num_deviations < math.inf):
            raise RangeError(f"num_deviations must be finite and >= 0, got {self.num_deviations}")

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let every neuron fire by its own arctangent; InputError where none can."""
        require_spiking(self, classifier, needs_time=False)

        def fire(u: Tensor, place: Place) -> Tensor:
            mean, deviation = memory.updated(place, u.detach().abs(), self._updated)
            alpha_B = self._omega / (mean + self.num_deviations * deviation + _TINY)
            alpha = alpha_B.repeat(memory.num_draws, *[1] * (u.ndim - 1))
            return spikes(u, alpha / 2 / (1 + (math.pi / 2 * alpha * u.detach()) ** 2))

        return firing(classifier, fire, detach_reset=True)

    @property
    def has_statistics(self) -> bool:
        """True: mean and deviation of the membranes."""
        return True

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """No spiking neuron, or one whose surrogate is out of reach."""
        return spiking_obstacle(classifier, images, needs_time=False)

    @property
    def _omega(self) -> float:
        return 2 / math.pi * math.tan(math.pi * self.coverage)

    def _updated(self, earlier: Statistics | None, size: Tensor) -> Statistics:
        mean, deviation = earlier or (torch.ones_like(size), torch.zeros_like(size))
        mean = self.mean_decay * mean + (1 - self.mean_decay) * size
        far = (size - mean).abs()
        return mean, self.deviation_decay * deviation + (1 - self.deviation_decay) * far


EXAMPLES = (AdaptiveSharpness(), AdaptiveSharpness(coverage=0.45, mean_decay=0.5))
