"""Blocks in a row: pooling joins the block before it, and activity may be computed twice instead of kept."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rsc_snn.networks.blocks import ConvBlock, Pool
from rsc_snn.networks.convolution import is_binary, marked_binary


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
            is_leaf = not isinstance(block, Stack)
            if self.is_checkpointed and is_leaf and torch.is_grad_enabled():
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


def _checkpointed(block: nn.Module, apply: Callable[[Tensor], Tensor], current: Tensor) -> Tensor:
    are_spikes = is_binary(current)

    def again(values: Tensor) -> Tensor:
        return apply(marked_binary(values) if are_spikes else values)

    result: Tensor = checkpoint(
        again,
        current,
        use_reentrant=False,
        preserve_rng_state=False,  # blocks draw no numbers
        context_fn=lambda: (contextlib.nullcontext(), _kept_buffers(block)),
    )
    return result


@contextlib.contextmanager
def _kept_buffers(module: nn.Module) -> Iterator[None]:
    """Put buffers back as they were: running statistics have counted this batch already."""
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
