"""snnTorch: a neuron sees one step at a time; the loop over time is the user's, here layer by layer."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rsc_snn.benchmarks.peers.base import AbstractPeer
from rsc_snn.neurons import LIF


@dataclass(frozen=True, kw_only=True)
class SNNTorch(AbstractPeer):
    """snnTorch's Leaky with a reset to zero and our surrogate, which it takes as a function.

    A loop over time around the whole network would give batch normalisation other statistics, those of
    each step, and is slower: the convolutions see smaller batches.
    """

    name: ClassVar[str] = "snnTorch"
    distribution: ClassVar[str] = "snntorch"

    def neuron(self, neuron: LIF) -> nn.Module:
        """Return a Leaky in a loop over time."""
        import snntorch

        leaky = snntorch.Leaky(
            beta=neuron.decay,
            threshold=neuron.threshold,
            reset_mechanism="zero",
            spike_grad=neuron.surrogate,
            init_hidden=True,
        )
        return _Loop(leaky)


class _Loop(nn.Module):
    def __init__(self, leaky: Any):
        super().__init__()
        self.leaky = leaky

    def forward(self, current: Tensor) -> Tensor:
        self.leaky.reset_mem()
        return torch.stack([self.leaky(current_t) for current_t in current.unbind(0)])
