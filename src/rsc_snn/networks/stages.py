"""The stages of a residual network: blocks in a row, each stage wider and smaller than the one before."""

from collections.abc import Callable, Sequence

from torch import nn

from rsc_snn.networks.stack import Stack


def make_stages(
    in_channels: int, layout: Sequence[tuple[int, int]], make_block: Callable[..., nn.Module]
) -> Stack:
    """Return the stages of ``layout``; the first block of all stages but the first halves the image.

    Args:
        in_channels: Channels before the first stage.
        layout: Channels and number of blocks of each stage.
        make_block: Called for the blocks in order, as make_block(in_channels, out_channels, stride=...).
    """
    stages: list[nn.Module] = []
    for channels, num_blocks in layout:
        blocks: list[nn.Module] = []
        for index in range(num_blocks):
            blocks.append(make_block(in_channels, channels, stride=2 if stages and index == 0 else 1))
            in_channels = channels
        stages.append(Stack(*blocks))
    return Stack(*stages)
