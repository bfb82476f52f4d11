"""SpikingJelly: every MemoryModule keeps state until its ``reset`` is called."""

from typing import Any

from torch import Tensor, nn

from rsc_snn.gradients.sites.shadow import class_names
from rsc_snn.interop.resets.base import Reset


def find(module: nn.Module) -> Reset | None:
    """Return the reset of a MemoryModule, which ``functional.reset_net`` would call as well."""
    if "MemoryModule" not in class_names(module, "spikingjelly"):
        return None
    return lambda: _reset(module)


def _reset(module: Any) -> None:
    """Reset by the module's own method, which may write into the state: the graph of a call keeps a copy."""
    for name, value in list(module.named_memories()):
        if isinstance(value, Tensor) and isinstance(module.get_reset_value(name), Tensor):
            setattr(module, name, value.detach().clone())
    module.reset()
