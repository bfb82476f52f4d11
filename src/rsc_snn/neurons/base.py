"""What a neuron is: current over time in, activity over time out, no memory between calls."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from jaxtyping import Float
from torch import Tensor

from rsc_snn.errors import RangeError
from rsc_snn.neurons.surrogates import AbstractSurrogate, Triangle
from rsc_snn.spec import Spec

# membrane minus threshold at one step -> spikes, with a derivative of its own
Fire = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class AbstractNeuron(Spec):
    """The nonlinearity of a network: spiking, or the activation of its non-spiking twin."""

    @abstractmethod
    def over_time(self, current: Float[Tensor, "T *N"]) -> Float[Tensor, "T *N"]:
        """Return the activity for a whole sequence, starting from rest; gradients flow through time."""
        raise NotImplementedError

    @property
    @abstractmethod
    def is_spiking(self) -> bool:
        """Whether the activity is 0 or 1 and passes through a surrogate."""
        raise NotImplementedError

    @property
    @abstractmethod
    def weight_gain(self) -> float:
        """Gain of the initial weights of a layer that has no normalisation before this neuron.

        Weights start as N(0, gain^2 / fan_in), so that activity neither dies nor saturates.
        """
        raise NotImplementedError

    @property
    @abstractmethod
    def drive_scale(self) -> float:
        """Initial spread of a normalised current where a network scales it to the neuron: V_th, or 1."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AbstractSpikingNeuron(AbstractNeuron):
    """A neuron that fires by a step function of a leaky membrane; the step's derivative can be replaced.

    Args:
        decay: Share of the membrane that a step keeps, in (0, 1], dimensionless; 1 is integrate-and-fire.
        threshold: Membrane at which a spike is fired, > 0.
        surrogate: Derivative of the spike with respect to membrane minus threshold.
    """

    decay: float = 0.5
    threshold: float = 1.0
    surrogate: AbstractSurrogate = field(default_factory=Triangle)

    def __post_init__(self) -> None:
        if not (0 < self.decay <= 1):
            raise RangeError(f"decay must lie in (0, 1], got {self.decay}; 1 is integrate-and-fire")
        if not (0 < self.threshold < math.inf):
            raise RangeError(f"threshold must be finite and > 0, got {self.threshold}")

    @abstractmethod
    def driven(
        self, current: Float[Tensor, "T *N"], fire: Fire, *, detach_membrane: bool = False
    ) -> Float[Tensor, "T *N"]:
        """Return the spikes of ``over_time`` with another derivative.

        Args:
            current: As in ``over_time``.
            fire: Called at each step, in order, with membrane minus threshold [*N]; returns the spikes.
            detach_membrane: Whether gradients stay within a step: the membrane that is kept has none.
        """
        raise NotImplementedError

    def over_time(self, current: Float[Tensor, "T *N"]) -> Float[Tensor, "T *N"]:
        """Return the spikes for a whole sequence, differentiated by the surrogate, through time."""
        return self.driven(current, self.surrogate)

    @property
    @final
    def is_spiking(self) -> bool:
        """True."""
        return True
