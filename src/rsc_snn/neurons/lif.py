"""The leaky integrate-and-fire neuron of Eq. 1."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.errors import ShapeError
from rsc_snn.neurons.base import AbstractSpikingNeuron, Fire
from rsc_snn.neurons.kernels import EagerKernels, Shape
from rsc_snn.neurons.layer import Layer

_HALVES = (torch.float16, torch.bfloat16)
_KERNELS = EagerKernels()


@dataclass(frozen=True, kw_only=True)
class LIF(AbstractSpikingNeuron):
    """Leaky integrate-and-fire with a hard reset to 0 [RSC-SNN, Eq. 1].

    u[t] = decay * u[t-1] * (1 - s[t-1]) + current[t], from u = 0, and s[t] = 1 where u[t] >= threshold.
    Equal to SpikingJelly's ``LIFNode(tau=1 / (1 - decay), decay_input=False, v_reset=0.0)``.

    ``over_time`` is one step of autograd that keeps nothing but the current; ``driven`` leaves every
    operation to autograd and is the reference of all faster ways.

    Args:
        decay: Share of the membrane that a step keeps, in (0, 1], dimensionless; 1 is integrate-and-fire.
        threshold: Membrane at which a spike is fired, > 0.
        surrogate: Derivative of the spike with respect to u - threshold.
        detach_reset: Whether the gradient ignores that a spike resets the membrane.
    """

    detach_reset: bool = False

    def over_time(self, current: Float[Tensor, "T *N"]) -> Float[Tensor, "T *N"]:
        """Return the spikes, as ``driven`` by the surrogate would."""
        if type(self).driven is not LIF.driven:
            return super().over_time(current)
        _require_steps(current)
        return Layer(self, _KERNELS, Shape(len(current))).spikes(current)

    def driven(
        self, current: Float[Tensor, "T *N"], fire: Fire, *, detach_membrane: bool = False
    ) -> Float[Tensor, "T *N"]:
        """Return the spikes, 0 or 1, for a current of any shape whose first axis is time.

        Spikes have the type of the current. The membrane of a 16-bit current is kept in float32, where
        small currents still add up.
        """
        _require_steps(current)
        precision = torch.float32 if current.dtype in _HALVES else current.dtype
        spikes: list[Tensor] = []
        kept: Tensor | None = None
        for current_t in current.unbind(0):
            current_t = current_t.to(precision)
            membrane = current_t if kept is None else self.decay * kept + current_t
            spike = fire(membrane - self.threshold)
            kept = membrane * (1 - (spike.detach() if self.detach_reset else spike))
            kept = kept.detach() if detach_membrane else kept
            spikes.append(spike.to(current.dtype))
        return torch.stack(spikes)

    @property
    def weight_gain(self) -> float:
        """Three thresholds: with pooled spikes at rates of 5 to 25 % the current's spread is near one."""
        return 3.0 * self.threshold

    @property
    def drive_scale(self) -> float:
        """The threshold [tdBN, arXiv:2011.05280]."""
        return self.threshold


def _require_steps(current: Tensor) -> None:
    if len(current) == 0:
        raise ShapeError(f"current must have at least one time step, got {list(current.shape)}")


EXAMPLES = (LIF(), LIF(decay=1.0), LIF(decay=0.9, threshold=0.7, detach_reset=True))
