"""Blocks that networks share. Everything takes and returns [T, B, ...]; nothing keeps state.

Layers without memory see [T * B, ...], in channels_last where there are images; normalisation therefore
takes its statistics over steps and batch together.
"""

import math

import torch
from torch import Generator, Tensor, nn

from rsc_snn.neurons import AbstractNeuron


class Activation(nn.Module):
    """A neuron as a layer; the neuron can be exchanged for another spec of the same kind."""

    def __init__(self, neuron: AbstractNeuron):
        super().__init__()
        self.neuron = neuron

    def forward(self, current_TBN: Tensor) -> Tensor:
        """Activity over time, of the shape of the current."""
        return self.neuron.over_time(current_TBN)

    def extra_repr(self) -> str:
        """The neuron."""
        return repr(self.neuron)


class ConvBlock(nn.Module):
    """3x3 convolution without bias, batch normalisation, neuron: [T, B, C, H, W] -> [T, B, C', H, W]."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        neuron: AbstractNeuron,
        generator: Generator | None,
    ):
        super().__init__()
        self.conv = nn.utils.skip_init(
            nn.Conv2d, in_channels, out_channels, kernel_size=3, padding=1, bias=False
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = Activation(neuron)
        init_normal(self.conv.weight, gain=math.sqrt(2.0), generator=generator)
        self.conv.to(memory_format=torch.channels_last)

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """Spikes, or the twin's activity."""
        stacked = current_TBCHW.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        drive = self.norm(self.conv(stacked))
        activity: Tensor = self.activation(drive.unflatten(0, current_TBCHW.shape[:2]))
        return activity


class LinearBlock(nn.Module):
    """Linear layer with a bias and a neuron: [T, B, N] -> [T, B, N']."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        neuron: AbstractNeuron,
        generator: Generator | None,
    ):
        super().__init__()
        self.linear = make_linear(in_features, out_features, gain=neuron.weight_gain, generator=generator)
        self.activation = Activation(neuron)

    def forward(self, current_TBN: Tensor) -> Tensor:
        """Spikes, or the twin's activity."""
        activity: Tensor = self.activation(self.linear(current_TBN))
        return activity


class Pool(nn.Module):
    """2x2 average pooling over space: [T, B, C, H, W] -> [T, B, C, H/2, W/2]."""

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """Means of 2x2 squares."""
        pooled = nn.functional.avg_pool2d(current_TBCHW.flatten(0, 1), 2)
        unfolded: Tensor = pooled.unflatten(0, current_TBCHW.shape[:2])
        return unfolded


def make_linear(
    in_features: int, out_features: int, *, gain: float, generator: Generator | None
) -> nn.Linear:
    """A linear layer whose weights start as N(0, gain^2 / fan_in), its bias as 0."""
    linear: nn.Linear = nn.utils.skip_init(nn.Linear, in_features, out_features)
    init_normal(linear.weight, gain=gain, generator=generator)
    nn.init.zeros_(linear.bias)
    return linear


def init_normal(weight: Tensor, *, gain: float, generator: Generator | None) -> None:
    """Fill with N(0, gain^2 / fan_in), where fan_in is the number of inputs of one output."""
    fan_in = weight[0].numel()
    nn.init.normal_(weight, std=gain / math.sqrt(fan_in), generator=generator)
