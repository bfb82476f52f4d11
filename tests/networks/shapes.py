"""Shapes and counts of a network without its memory."""

from collections.abc import Sequence

import torch
from torch import nn

from rsc_snn.networks import AbstractNetwork, BuiltNetwork


def build_meta(
    spec: AbstractNetwork, *, num_classes: int = 10, image_shape: tuple[int, int, int] = (3, 32, 32)
) -> BuiltNetwork:
    """Build on the meta device."""
    with torch.device("meta"):
        return spec.build(num_classes=num_classes, image_shape=image_shape)


def output_shapes(network: BuiltNetwork, modules: Sequence[nn.Module]) -> list[tuple[int, ...]]:
    """Shapes, without T and B, that ``modules`` return when the network sees a current of its size."""
    shapes: list[tuple[int, ...]] = []
    for module in modules:
        module.register_forward_hook(lambda m, i, out: shapes.append(tuple(out.shape[2:])))
    network(torch.empty(2, 3, *network.blueprint.image_shape, device="meta"))
    return shapes


def num_parameters(module: nn.Module) -> int:
    """All numbers that training changes."""
    return sum(parameter.numel() for parameter in module.parameters())


def conv(in_channels: int, out_channels: int, side: int = 3) -> int:
    """Weights of a convolution without bias and its normalisation's two numbers per channel."""
    return in_channels * out_channels * side * side + 2 * out_channels


def linear(in_features: int, out_features: int) -> int:
    """Weights and biases of a linear layer."""
    return (in_features + 1) * out_features
