"""The sites of this library's networks: activations that hold a spiking neuron."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import Tensor, nn

from rsc_snn.gradients.sites.base import AbstractSite, Undo
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons import AbstractSpikingNeuron
from rsc_snn.neurons.base import Fire

# a neuron and its current [T, *N] -> its spikes [T, *N], differentiated otherwise
Drive = Callable[[AbstractSpikingNeuron, Tensor], Tensor]


@dataclass(frozen=True)
class OwnSite(AbstractSite):
    """An activation of this library; besides its step function, its whole run over time can be replaced."""

    activation: Activation
    neuron: AbstractSpikingNeuron

    def replace(self, fire: Fire) -> Undo:
        """Let the neuron fire by ``fire``; gradients flow through time as in training."""
        return self.drive(lambda neuron, current: neuron.driven(current, fire))

    def drive(self, drive: Drive) -> Undo:
        """Let ``drive`` compute the spikes, which must be those of the neuron; return what undoes it."""
        earlier = self.activation.drive
        self.activation.drive = lambda current: drive(self.neuron, current)
        return lambda: setattr(self.activation, "drive", earlier)

    def with_detached_reset(self) -> AbstractSite:
        """Return the same layer with ``detach_reset`` set, if its neuron has this field."""
        if "detach_reset" not in {field.name for field in fields(self.neuron)}:
            return self
        changes: dict[str, Any] = {"detach_reset": True}
        return OwnSite(self.activation, replace(self.neuron, **changes))


def find(module: nn.Module) -> AbstractSite | None:
    """Return the site that ``module`` itself is, if it is one."""
    if isinstance(module, Activation) and isinstance(module.neuron, AbstractSpikingNeuron):
        return OwnSite(module, module.neuron)
    return None
