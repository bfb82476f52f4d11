"""Kernels that torch.compile writes: one loop over all neurons, with all their steps inside.

A membrane then stays in a register, normalisation and pooling cost no pass over memory of their own, and the
loop is compiled once for all layers, widths and batches of a neuron and a number of steps.
"""

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rsc_snn.neurons.kernels.base import AbstractKernels, Dynamics, Shape

_LIST_IS_FULL = "FailOnRecompileLimitHit"  # torch._dynamo.exc takes a second to import
_HALVES = (torch.float16, torch.bfloat16)


class CompiledKernels(AbstractKernels):
    """Compiled when they are first used; the first use of each takes seconds."""

    def spikes(
        self, neuron: Dynamics, values: Tensor, scale: Tensor | None, shift: Tensor | None, shape: Shape
    ) -> Tensor:
        """Return the spikes."""
        kernel = _Kernel(neuron, shape.num_steps, shape.is_pooled, is_static=len(values) == 1)
        return _called(kernel, _Kernel.spikes, values, scale, shift)

    def gradient(
        self,
        neuron: Dynamics,
        values: Tensor,
        scale: Tensor | None,
        shift: Tensor | None,
        grad: Tensor,
        shape: Shape,
    ) -> Tensor:
        """Return the gradient."""
        kernel = _Kernel(neuron, shape.num_steps, shape.is_pooled, is_static=len(values) == 1)
        return _called(kernel, _Kernel.gradient, values, scale, shift, grad)


@dataclass(frozen=True)
class _Kernel:
    """What the compiler sees, as plain formulas."""

    neuron: Dynamics
    num_steps: int
    is_pooled: bool
    is_static: bool

    def spikes(self, values: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
        """Eq. 1, step after step."""
        neuron, spikes = self.neuron, []
        for membrane in self._membranes(values, scale, shift):
            fired = (membrane >= neuron.threshold).to(values.dtype)
            if self.is_pooled:
                fired = fired[:, 0::2] + fired[:, 1::2]
                fired = (fired[0::2] + fired[1::2]) * 0.25
            spikes.append(fired)
        return torch.stack(spikes)

    def gradient(self, values: Tensor, scale: Tensor | None, shift: Tensor | None, grad: Tensor) -> Tensor:
        """The derivative of Eq. 1, from the last step to the first."""
        neuron, found = self.neuron, []
        later: Tensor | None = None  # with respect to the membrane that the step before leaves
        membranes = self._membranes(values, scale, shift)
        for step in reversed(range(self.num_steps)):
            membrane = membranes[step]
            slope = neuron.surrogate.derivative(membrane - neuron.threshold)
            above = grad[step].to(membrane.dtype)
            if self.is_pooled:
                above = _spread(above * 0.25, membrane)
            if later is None:
                current = above * slope
            else:
                through_spike = above if neuron.detach_reset else above - later * membrane
                kept = torch.where(membrane >= neuron.threshold, 0.0, later)
                current = kept + through_spike * slope
            later = neuron.decay * current
            found.append(current)
        if self.is_static:
            return functools.reduce(torch.add, found)[None].to(values.dtype)
        return torch.stack(found[::-1]).to(values.dtype)

    def _membranes(self, values: Tensor, scale: Tensor | None, shift: Tensor | None) -> list[Tensor]:
        """The membrane of each step before its reset."""
        neuron = self.neuron
        membranes: list[Tensor] = []
        given = [values[0]] * self.num_steps if self.is_static else values.unbind(0)
        for value in given:
            current = value.float() if value.dtype in _HALVES else value
            if scale is not None and shift is not None:
                current = current * scale + shift
            if membranes:
                before = membranes[-1]
                current = neuron.decay * torch.where(before >= neuron.threshold, 0.0, before) + current
            membranes.append(current)
        return membranes


def _spread(grad_RWC: Tensor, like_RWC: Tensor) -> Tensor:
    """Each value for the four neurons whose mean it belongs to."""
    num_rows, num_columns, num_channels = like_RWC.shape
    squares = grad_RWC[:, None, :, None].expand(-1, 2, -1, 2, -1)
    return squares.reshape(num_rows, num_columns, num_channels)


def _called(kernel: _Kernel, formula: Callable[..., Tensor], *tensors: Tensor | None) -> Tensor:
    """Call a compiled formula in a state of torch that does not vary, for which it was compiled once.

    The compiler keeps a short list of versions for each code object: of sizes that are 1, or equal to each
    other. Where the list is full, a new one is begun.
    """
    kinds = tuple(
        None if tensor is None else (tensor.device.type, tensor.dtype, tensor.is_inference())
        for tensor in tensors
    )
    key = (kernel, formula, kinds)
    plain = [None if tensor is None else tensor.detach() for tensor in tensors]
    with torch.no_grad(), torch.autocast(kinds[0][0] if kinds[0] else "cpu", enabled=False):
        try:
            if key not in _FUNCTIONS:
                _FUNCTIONS[key] = _compiled(kernel, formula)
            return _FUNCTIONS[key](*plain)
        except Exception as err:
            if type(err).__name__ != _LIST_IS_FULL:
                raise
            _FUNCTIONS[key] = _compiled(kernel, formula)
            return _FUNCTIONS[key](*plain)


_FUNCTIONS: dict[Hashable, Callable[..., Tensor]] = {}


def _compiled(kernel: _Kernel, formula: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a formula of a kernel that is compiled when it is called, with a list of its own."""

    def own(*tensors: Tensor | None) -> Tensor:
        return formula(kernel, *tensors)

    own.__code__ = own.__code__.replace()
    options: dict[str, Any] = {"cpp.dynamic_threads": True}  # the number of threads may change between runs
    return torch.compile(own, dynamic=True, fullgraph=True, options=options)
