"""What a site is: a layer of neurons whose step function an attacker can differentiate otherwise."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from rsc_snn.neurons.base import Fire

Undo = Callable[[], None]


@dataclass(frozen=True)
class Place:
    """Where a spike function stands in a pass: layers in the order of ``modules()``, calls in order.

    Attributes:
        layer: Number of the site.
        step: Number of the call of this site since the pass began; the time step, where a layer is
            passed once.
    """

    layer: int
    step: int


class AbstractSite(ABC):
    """A layer of neurons that fire by a function of membrane minus threshold, [B, ...] at each step."""

    @abstractmethod
    def replace(self, fire: Fire) -> Undo:
        """Let the neurons fire by ``fire``, and return what puts back what was there."""
        raise NotImplementedError

    def with_detached_reset(self) -> "AbstractSite":
        """Return the same layer, whose gradient ignores resets if the neuron can do so; else itself."""
        return self
