"""Kernels of torch's own operations, which reuse what they allocate."""

import torch
from torch import Tensor, nn

from rsc_snn.neurons.kernels.base import AbstractKernels, Dynamics, Shape

_HALVES = (torch.float16, torch.bfloat16)


class EagerKernels(AbstractKernels):
    """Step after step, over the whole layer, in place."""

    def spikes(
        self, neuron: Dynamics, values: Tensor, scale: Tensor | None, shift: Tensor | None, shape: Shape
    ) -> Tensor:
        """Return the spikes."""
        currents = _Currents(values, scale, shift)
        membrane = currents.copied(0)
        fired = torch.empty_like(membrane)
        out: Tensor | None = None
        for step in range(shape.num_steps):
            if step:
                membrane.mul_(neuron.decay).add_(currents.at(step))
            _fire(neuron, membrane, fired)
            _reset(membrane, fired)
            spikes = _pooled(fired) if shape.is_pooled else fired
            out = values.new_empty(shape.num_steps, *spikes.shape) if out is None else out
            out[step].copy_(spikes)
        assert out is not None, "there is at least one step"
        return out

    def gradient(
        self,
        neuron: Dynamics,
        values: Tensor,
        scale: Tensor | None,
        shift: Tensor | None,
        grad: Tensor,
        shape: Shape,
    ) -> Tensor:
        """Return the gradient; membranes are overwritten by it from the last step on."""
        membranes = _membranes(neuron, _Currents(values, scale, shift), shape.num_steps)
        fired = torch.empty_like(membranes[0])
        later: Tensor | None = None  # with respect to the membrane that the step before leaves
        for step in reversed(range(shape.num_steps)):
            membrane = membranes[step]
            slope = neuron.surrogate.derivative(membrane - neuron.threshold)
            found = grad[step].to(membrane.dtype)
            found = _spread(found) if shape.is_pooled else found
            if later is None:
                later = torch.mul(found, slope, out=membrane) * neuron.decay
                continue
            _fire(neuron, membrane, fired)
            if not neuron.detach_reset:
                found = torch.addcmul(found, later, membrane, value=-1)
            _reset(later, fired)
            later.addcmul_(found, slope)
            membrane.copy_(later)
            later.mul_(neuron.decay)
        if len(values) < len(membranes):
            membranes = membranes.sum(0, keepdim=True)
        return membranes.to(values.dtype)


class _Currents:
    """The current at each step, computed when it is asked for."""

    def __init__(self, values: Tensor, scale: Tensor | None, shift: Tensor | None):
        self.precision = torch.float32 if values.dtype in _HALVES else values.dtype
        self.scale, self.shift, self.values = scale, shift, values
        if len(values) == 1 and scale is not None:
            self.values, self.scale = self._made(0)[None], None

    def at(self, step: int) -> Tensor:
        """The current of a step, not to be changed."""
        return self._made(min(step, len(self.values) - 1))

    def copied(self, step: int) -> Tensor:
        """The same, to be changed."""
        current = self.at(step)
        return current.clone() if current.data_ptr() == self.values[step].data_ptr() else current

    def _made(self, position: int) -> Tensor:
        current = self.values[position].to(self.precision)
        return current if self.scale is None or self.shift is None else current * self.scale + self.shift


def _membranes(neuron: Dynamics, currents: _Currents, num_steps: int) -> Tensor:
    """The membrane of each step before its reset, [T, ...]."""
    first = currents.at(0)
    membranes = first.new_empty(num_steps, *first.shape)
    membranes[0].copy_(first)
    fired = torch.empty_like(first)
    for step in range(1, num_steps):
        before, membrane = membranes[step - 1], membranes[step]
        _fire(neuron, before, fired)
        membrane.copy_(before)
        _reset(membrane, fired)
        membrane.mul_(neuron.decay).add_(currents.at(step))
    return membranes


def _fire(neuron: Dynamics, membrane: Tensor, out: Tensor) -> None:
    """Write 1 where the membrane has reached the threshold, else 0."""
    torch.ge(membrane, neuron.threshold, out=out)


def _reset(values: Tensor, fired: Tensor) -> None:
    """Set to 0 where there is a spike: values - values * 1, exactly."""
    values.addcmul_(values, fired, value=-1)


def _pooled(spikes_RWC: Tensor) -> Tensor:
    """Means of squares of 2x2."""
    pooled: Tensor = nn.functional.avg_pool2d(spikes_RWC[None].permute(0, 3, 1, 2), 2)
    return pooled.permute(0, 2, 3, 1)[0]


def _spread(grad_RWC: Tensor) -> Tensor:
    """A quarter of the gradient for each of the four."""
    squares = (grad_RWC * 0.25)[:, None, :, None].expand(-1, 2, -1, 2, -1)
    return squares.reshape(2 * grad_RWC.shape[0], 2 * grad_RWC.shape[1], grad_RWC.shape[2])
