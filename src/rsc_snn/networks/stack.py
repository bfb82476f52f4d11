"""Blocks in a row: pooling joins the block before it, and activity may be computed twice instead of kept."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rsc_snn.networks.activation import Activation
from rsc_snn.networks.blocks import ConvBlock, Pool
from rsc_snn.networks.convolution import is_binary, marked_binary
from rsc_snn.neurons import AbstractNeuron


class Stack(nn.Sequential):
    """``nn.Sequential`` of blocks.

    Attributes:
        is_checkpointed: Whether blocks keep nothing but their input for the backward pass, and are computed
            once more there; their running statistics move once all the same.
    """

    def __init__(self, *blocks: nn.Module):
        super().__init__(*blocks)
        self.is_checkpointed = False

    def forward(self, current: Tensor) -> Tensor:
        """Activity after the last block."""
        for block, pool in self._pairs():
            apply: Callable[[Tensor], Tensor] = block if pool is None else functools.partial(block, pool=pool)
            if self.is_checkpointed and torch.is_grad_enabled() and _may_run_twice(block):
                current = _checkpointed(block, apply, current)
            else:
                current = apply(current)
        return current

    def _pairs(self) -> Iterator[tuple[nn.Module, Pool | None]]:
        """Each block with the pool that follows it, if it is one of convolution."""
        left = list(self)
        while left:
            block = left.pop(0)
            if isinstance(block, ConvBlock) and left and isinstance(left[0], Pool):
                yield block, left.pop(0)  # type: ignore[misc]
            else:
                yield block, None


def set_checkpointing(module: nn.Module, is_checkpointed: bool) -> None:
    """Let the blocks of all stacks keep their inputs only, or all that they need again."""
    for stack in module.modules():
        if isinstance(stack, Stack):
            stack.is_checkpointed = is_checkpointed


def _may_run_twice(block: nn.Module) -> bool:
    """Whether a second pass computes the same: what an attacker puts in place of a neuron may count calls."""
    layers = (layer for layer in block.modules() if isinstance(layer, Activation))
    return not isinstance(block, Stack) and all(layer.drive is None for layer in layers)


def _checkpointed(block: nn.Module, apply: Callable[[Tensor], Tensor], current: Tensor) -> Tensor:
    are_spikes = is_binary(current)

    def again(values: Tensor) -> Tensor:
        return apply(marked_binary(values) if are_spikes else values)

    result: Tensor = checkpoint(
        again,
        current,
        use_reentrant=False,
        preserve_rng_state=False,  # blocks draw no numbers
        context_fn=lambda: (contextlib.nullcontext(), _as_it_was(block)),
    )
    return result


def _as_it_was(block: nn.Module) -> AbstractContextManager[None]:
    """Return what puts a block, for its second pass, into the mode and with the neurons of now.

    Buffers are then put back: running statistics have counted the batch already.
    """
    modes = [(module, module.training) for module in block.modules()]
    layers = [layer for layer in block.modules() if isinstance(layer, Activation)]
    neurons = [(layer, layer.neuron) for layer in layers]
    return _second_pass(block, modes, neurons)


@contextlib.contextmanager
def _second_pass(
    block: nn.Module,
    modes: list[tuple[nn.Module, bool]],
    neurons: list[tuple[Activation, AbstractNeuron]],
) -> Iterator[None]:
    buffers = [(buffer, buffer.clone()) for buffer in block.buffers()]
    later = [(module, module.training) for module, _ in modes]
    others = [(layer, layer.neuron, layer.drive) for layer, _ in neurons]
    try:
        _set_modes(modes)
        for layer, neuron in neurons:
            layer.neuron, layer.drive = neuron, None
        yield
    finally:
        _set_modes(later)
        for layer, neuron, drive in others:
            layer.neuron, layer.drive = neuron, drive
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


def _set_modes(modes: list[tuple[nn.Module, bool]]) -> None:
    for module, mode in modes:
        module.training = mode
