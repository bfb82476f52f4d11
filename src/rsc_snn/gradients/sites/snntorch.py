"""The sites of snnTorch's networks: neurons that call ``spike_grad`` at each step."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from rsc_snn.gradients.sites.base import AbstractSite, Undo
from rsc_snn.gradients.sites.shadow import Refired, class_names, shadow
from rsc_snn.neurons.base import Fire


@dataclass(frozen=True)
class SnnTorchNeuron(AbstractSite):
    """A neuron derived from snnTorch's SpikingNeuron: Leaky, Lapicque, Synaptic, Alpha and so on.

    Such a neuron calls its spike function twice in a step: for the reset, which has no gradient, and for
    the spike. Only the second call is replaced, so that calls are steps.
    """

    module: nn.Module

    def replace(self, fire: Fire) -> Undo:
        """Let the neuron's spikes have the derivative of ``fire``; the spikes stay as they are."""
        original, reset = self.module.spike_grad, self.module.mem_reset
        assert callable(original)
        assert callable(reset)
        undo_spikes = shadow(self.module, "spike_grad", Refired(original, fire))
        undo_reset = shadow(self.module, "mem_reset", self._resetting(original, reset))

        def undo() -> None:
            undo_reset()
            undo_spikes()

        return undo

    def _resetting(self, original: object, reset: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def reset_by_original(membrane: Tensor) -> Tensor:
            back = shadow(self.module, "spike_grad", original)
            try:
                return reset(membrane)
            finally:
                back()

        return reset_by_original


def find(module: nn.Module) -> AbstractSite | None:
    """Return the site that ``module`` is, if it is a neuron that runs step by step.

    Neurons without ``reset_mem`` see all steps at once and are no sites.
    """
    is_neuron = "SpikingNeuron" in class_names(module, "snntorch")
    return SnnTorchNeuron(module) if is_neuron and hasattr(module, "reset_mem") else None
