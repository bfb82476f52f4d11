"""Norse: a function of current and state; its leaky neuron without synaptic current is LIFBox."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rsc_snn.benchmarks.peers.base import AbstractPeer
from rsc_snn.neurons import LIF


@dataclass(frozen=True, kw_only=True)
class Norse(AbstractPeer):
    """Norse's LIFBox in a loop over time, with its own default surrogate (SuperSpike).

    A step of it is v + (1 - decay) * (current - v), so that it is fed current / (1 - decay).
    """

    name: ClassVar[str] = "Norse"
    distribution: ClassVar[str] = "norse"
    has_networks: ClassVar[bool] = False

    def neuron(self, neuron: LIF) -> nn.Module:
        """Return the loop; its input is scaled by ``fed``."""
        return _Loop(neuron)

    def fed(self, current: Tensor, neuron: LIF) -> Tensor:
        """Return current / (1 - decay)."""
        return current / (1 - neuron.decay)


class _Loop(nn.Module):
    def __init__(self, neuron: LIF):
        super().__init__()
        from norse.torch.functional.lif_box import LIFBoxParameters

        self._constants: Any = LIFBoxParameters(
            tau_mem_inv=torch.tensor(1 - neuron.decay),
            v_leak=torch.tensor(0.0),
            v_th=torch.tensor(neuron.threshold),
            v_reset=torch.tensor(0.0),
        )

    def forward(self, current: Tensor) -> Tensor:
        from norse.torch.functional.lif_box import LIFBoxFeedForwardState, lif_box_feed_forward_step

        state = LIFBoxFeedForwardState(v=torch.zeros_like(current[0]))
        spikes = []
        for current_t in current.unbind(0):
            spike, state = lif_box_feed_forward_step(current_t, state, self._constants, dt=1.0)
            spikes.append(spike)
        return torch.stack(spikes)
