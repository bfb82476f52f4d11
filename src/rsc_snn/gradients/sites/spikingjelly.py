"""The sites of SpikingJelly's networks: neurons that call ``surrogate_function`` at each step."""

from dataclasses import dataclass

from torch import nn

from rsc_snn.gradients.sites.base import AbstractSite, Undo
from rsc_snn.gradients.sites.shadow import Refired, class_names, shadow
from rsc_snn.neurons.base import Fire

_PACKAGE = "spikingjelly"
_NEURONS = {"BaseNode", "SimpleBaseNode"}
_NO_STEPS = {"MultiLevelSpikeCount", "DeterministicPass", "PoissonPass"}  # they count, or draw, spikes


@dataclass(frozen=True)
class SpikingJellyNeuron(AbstractSite):
    """A neuron derived from SpikingJelly's BaseNode, in either step mode.

    With a function of ours a neuron in multi-step mode runs SpikingJelly's reference loop over time
    instead of a fused kernel: the same numbers, more slowly on a GPU.
    """

    module: nn.Module

    def replace(self, fire: Fire) -> Undo:
        """Let the neuron's spikes have the derivative of ``fire``; the spikes stay as they are."""
        earlier = self.module.surrogate_function
        assert callable(earlier)
        return shadow(self.module, "surrogate_function", Refired(earlier, fire))


def find(module: nn.Module) -> AbstractSite | None:
    """Return the site that ``module`` is, if it is a neuron whose spikes are a step function.

    Neurons that fire for all steps at once (the PSN family), multi-level and random spikes are no sites.
    """
    if not class_names(module, _PACKAGE) & _NEURONS:
        return None
    surrogate = module.surrogate_function
    if isinstance(surrogate, nn.Module) and class_names(surrogate, _PACKAGE) & _NO_STEPS:
        return None
    return SpikingJellyNeuron(module)
