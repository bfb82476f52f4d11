"""SpikingJelly: multi-step modules; the library chooses its kernels by itself."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from rsc_snn.benchmarks.peers.base import AbstractPeer
from rsc_snn.errors import InputError
from rsc_snn.neurons import LIF, Triangle


@dataclass(frozen=True, kw_only=True)
class SpikingJelly(AbstractPeer):
    """SpikingJelly's LIFNode in step mode "m" and its SeqToANNContainer."""

    name: ClassVar[str] = "SpikingJelly"
    distribution: ClassVar[str] = "spikingjelly"

    def neuron(self, neuron: LIF) -> nn.Module:
        """Return a LIFNode with the same leak, threshold and surrogate (its piecewise quadratic)."""
        from spikingjelly.activation_based.neuron import LIFNode
        from spikingjelly.activation_based.surrogate import PiecewiseQuadratic

        if not isinstance(neuron.surrogate, Triangle) or neuron.decay == 1:
            raise InputError(f"expected a leaky neuron with the surrogate Triangle, got {neuron}")
        layer: nn.Module = LIFNode(
            tau=1 / (1 - neuron.decay),
            decay_input=False,
            v_threshold=neuron.threshold,
            v_reset=0.0,
            surrogate_function=PiecewiseQuadratic(alpha=1 / neuron.surrogate.width),
            detach_reset=neuron.detach_reset,
            step_mode="m",
        )
        return layer

    def stateless(self, *layers: nn.Module) -> nn.Module:
        """Return its container, which sees all steps as one batch."""
        from spikingjelly.activation_based.layer import SeqToANNContainer

        container: nn.Module = SeqToANNContainer(*layers)
        return container

    def reset(self, network: nn.Module) -> None:
        """Call its reset_net."""
        from spikingjelly.activation_based.functional import reset_net

        reset_net(network)
