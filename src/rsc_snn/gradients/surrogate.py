"""Backpropagation through another surrogate than the training's."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.applicability import require_spiking, spiking_obstacle
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.sites import firing
from rsc_snn.neurons import AbstractSurrogate, Arctan, Rectangle, Sigmoid, Triangle


@dataclass(frozen=True, kw_only=True)
class Surrogate(AbstractPath):
    """Backpropagates through time with another surrogate in every spiking neuron.

    A training surrogate that is narrow hides the gradient from an attacker who keeps it.

    Args:
        surrogate: Derivative of the spike with respect to membrane minus threshold.
    """

    surrogate: AbstractSurrogate

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let every neuron fire by the surrogate; InputError where none can."""
        require_spiking(self, classifier, needs_time=False)
        return firing(classifier, lambda u, place: self.surrogate(u))

    @property
    def has_statistics(self) -> bool:
        """False."""
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """No spiking neuron, or one whose surrogate is out of reach."""
        return spiking_obstacle(classifier, images, needs_time=False)


EXAMPLES = (
    Surrogate(surrogate=Triangle(width=2.0)),
    Surrogate(surrogate=Rectangle(width=0.5)),
    Surrogate(surrogate=Arctan(alpha=1.0)),
    Surrogate(surrogate=Sigmoid(alpha=2.0)),
)
