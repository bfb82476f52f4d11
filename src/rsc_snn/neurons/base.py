"""What a neuron is: current over time in, activity over time out, no memory between calls."""

from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.spec import Spec


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
