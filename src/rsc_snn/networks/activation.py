"""A neuron as a layer, alone or together with the normalisation before it and the pooling after it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rsc_snn.networks.convolution import marked_binary
from rsc_snn.networks.hooks import has_hooks
from rsc_snn.neurons import LIF, AbstractNeuron
from rsc_snn.neurons.kernels import AbstractKernels, EagerKernels, Shape
from rsc_snn.neurons.layer import Affine, Layer


class Activation(nn.Module):
    """A neuron as a layer; the neuron can be exchanged for another spec of the same kind.

    Attributes:
        neuron: The neuron.
        drive: What computes the activity instead, for the length of an attacker's pass; else None.
        kernels: How a LIF neuron is computed; None leaves every operation to autograd.
    """

    def __init__(self, neuron: AbstractNeuron):
        super().__init__()
        self.neuron = neuron
        self.drive: Callable[[Tensor], Tensor] | None = None
        self.kernels: AbstractKernels | None = EagerKernels()

    def forward(self, current_TBN: Tensor) -> Tensor:
        """Activity over time, of the shape of the current."""
        if self.drive is not None:
            return self.drive(current_TBN)
        if self._has_kernels():
            return self.fused(current_TBN, None, num_steps=len(current_TBN), is_pooled=False)
        if self.kernels is None and type(neuron := self.neuron) is LIF:
            return neuron.driven(current_TBN, neuron.surrogate)
        return self.neuron.over_time(current_TBN)

    def can_fuse(self) -> bool:
        """Whether ``fused`` may take the place of normalisation, neuron and pooling: nobody looks between."""
        return self.drive is None and self._has_kernels() and not has_hooks(self)

    def fused(
        self, values_SBCHW: Tensor, affine: Affine | None, *, num_steps: int, is_pooled: bool
    ) -> Tensor:
        """Spikes of values that are normalised first and perhaps pooled afterwards.

        Args:
            values_SBCHW: S is T, or 1 where the current is the same at every step; of any shape [S, *N] where
                it is neither normalised nor pooled.
            affine: The normalisation; None where there is none.
            num_steps: T.
            is_pooled: Whether spikes are averaged over squares of 2x2.
        """
        assert self.kernels is not None
        shape = Shape(num_steps, is_pooled=is_pooled)
        spikes = Layer(self.neuron, self.kernels, shape).spikes(values_SBCHW, affine)
        if is_pooled or not torch.is_grad_enabled() or has_hooks(self):
            return spikes
        return marked_binary(spikes)

    def extra_repr(self) -> str:
        """The neuron."""
        return repr(self.neuron)

    def _has_kernels(self) -> bool:
        return self.kernels is not None and type(self.neuron) is LIF
