"""Folding batch normalisation into the convolution before it, for networks that only answer."""

import copy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from rsc_snn.errors import InputError
from rsc_snn.networks.blocks import ConvBlock

N = TypeVar("N", bound=nn.Module)


def folded(network: N) -> N:
    """Return a copy whose convolutions carry the running statistics of their normalisation.

    Its currents are those of the network up to rounding, which may flip a spike where a membrane lies at its
    threshold to the last bits.

    Raises:
        InputError: the network is in training mode, where normalisation is another function.
    """
    if network.training:
        raise InputError("only a network in eval mode can be folded; call .eval() first")
    network = copy.deepcopy(network)
    for block in network.modules():
        if isinstance(block, ConvBlock) and isinstance(block.norm, nn.BatchNorm2d):
            block.conv = fuse_conv_bn_eval(block.conv, block.norm)
            block.norm = nn.Identity()
    return network
