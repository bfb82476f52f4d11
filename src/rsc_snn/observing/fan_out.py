"""How many connections the inputs of a layer of weights have, counted exactly, borders included.

Axes: R rows (steps and images), I O inputs and outputs, C H W image.
"""

import torch
from jaxtyping import Float64
from torch import Tensor, nn

Weights = nn.Conv2d | nn.Linear


def arrivals(layer: Weights, events: Float64[Tensor, "R *I"]) -> Float64[Tensor, "R"]:
    """Return how often the inputs reach an output: the sum over inputs of events times connections.

    A connection counts whatever its weight. An input near the border of an image reaches fewer outputs of a
    convolution than one in the middle; a stride skips some.

    Args:
        layer: The layer of weights; its convolution pads with zeros.
        events: How often each input sends, [R, I] or [R, C, H, W].
    """
    if isinstance(layer, nn.Linear):
        return events.sum(1) * layer.out_features
    kernel = torch.ones(1, 1, *layer.kernel_size, dtype=events.dtype, device=events.device)
    reached = nn.functional.conv2d(
        events.sum(1, keepdim=True), kernel, None, layer.stride, layer.padding, layer.dilation
    )
    return reached.sum((1, 2, 3)) * (layer.out_channels // layer.groups)


def connections(layer: Weights, shape: tuple[int, ...]) -> int:
    """Return the number of connections of all inputs: multiply-accumulates of one dense pass.

    Args:
        layer: The layer of weights.
        shape: Of one input, (I,) or (C, H, W).
    """
    return int(arrivals(layer, torch.ones(1, *shape, dtype=torch.float64)))
