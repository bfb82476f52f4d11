"""snnTorch: neurons keep their membrane, whether ``init_hidden`` is set or the caller passes it in."""

from torch import nn

from rsc_snn.gradients.sites.shadow import class_names
from rsc_snn.interop.resets.base import Reset


def find(module: nn.Module) -> Reset | None:
    """Return the neuron's own ``reset_mem``; ``reset_hidden`` would reset every network of the process."""
    reset = getattr(module, "reset_mem", None)
    is_neuron = "SpikingNeuron" in class_names(module, "snntorch")
    return reset if is_neuron and callable(reset) else None
