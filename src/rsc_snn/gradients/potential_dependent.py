"""A surrogate as wide as the membranes are spread. Axes: R rows, C channels."""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.applicability import require_spiking, spiking_obstacle
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.derivatives import spikes
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.sites import Place, firing


@dataclass(frozen=True, kw_only=True)
class PotentialDependent(AbstractPath):
    """Backpropagates through a Gaussian that follows the spread of the membranes [PDSG, CVPR 2025].

    With sigma the standard deviation of u = membrane - threshold over a channel's neurons and the steps of
    the pass so far, the present one included (the unbiased estimate), d spike / du is the density at u of a
    normal with mean sigma / 2 and deviation sigma. A layer without space has one neuron per channel. Sigma is
    1 where there is only one number, or no spread.

    The source takes sigma over the batch as well; here each image, and each of its draws, has its own, so
    that no image influences another's gradient. Nothing is kept from one pass to the next.
    """

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let every neuron fire by the Gaussian; InputError where none can."""
        require_spiking(self, classifier, needs_time=False)
        spreads: dict[object, _Spread] = {}  # a foreign neuron may stand behind layers of several shapes

        def fire(u: Tensor, place: Place) -> Tensor:
            sigma = spreads.setdefault((place.layer, u.shape), _Spread()).after(u.detach())
            scaled = u.detach() / sigma - 0.5
            return spikes(u, torch.exp(-(scaled**2) / 2) / (math.sqrt(2 * math.pi) * sigma))

        return firing(classifier, fire)

    @property
    def has_statistics(self) -> bool:
        """False: those of a pass end with it."""
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """No spiking neuron, or one whose surrogate is out of reach."""
        return spiking_obstacle(classifier, images, needs_time=False)


class _Spread:
    """Running standard deviation of a layer, [R, C], merged step by step without cancellation."""

    def __init__(self) -> None:
        self._num_seen = 0
        self._mean: Tensor | float = 0.0
        self._squares: Tensor | float = 0.0  # squared distances from the mean, summed

    def after(self, values: Tensor) -> Tensor:
        """Take in a step's values [R, C, ...] and return the deviation so far, to be broadcast with them."""
        flat = values.reshape(*values.shape[:2], -1)
        mean, num_new = flat.mean(-1), flat.shape[-1]
        squares = (flat - mean[..., None]).square().sum(-1)
        num_before, self._num_seen = self._num_seen, self._num_seen + num_new
        shift = mean - self._mean
        self._mean = self._mean + shift * (num_new / self._num_seen)
        self._squares = self._squares + squares + shift.square() * (num_before * num_new / self._num_seen)
        sigma = (self._squares / max(1, self._num_seen - 1)).sqrt()
        sigma = torch.where(sigma > 0, sigma, 1.0)
        return sigma.reshape(*sigma.shape, *[1] * (values.ndim - sigma.ndim))


EXAMPLES = (PotentialDependent(),)
