"""ResNet-19: residual addition of currents before the neuron, normalisation scaled to the threshold."""

import functools
import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor, nn

from rsc_snn.networks.activation import Activation
from rsc_snn.networks.base import AbstractNetwork, Blueprint, require_width_divisor
from rsc_snn.networks.blocks import ConvBlock, LinearBlock, make_linear
from rsc_snn.networks.stages import make_stages
from rsc_snn.networks.stem import Stem
from rsc_snn.neurons import AbstractNeuron

_STAGES = ((128, 3), (256, 3), (512, 2))  # channels and blocks; all but the first halve the image
_STEM_WIDTH = 128
_HIDDEN_WIDTH = 256
_HIDDEN_GAIN_FACTOR = 2.0  # a mean over space is a rate near 0.1: with 1 few hidden neurons fire, at T=1 none


@dataclass(frozen=True, kw_only=True)
class ResNet19(AbstractNetwork):
    """Stem 128, blocks 3 x 128, 3 x 256, 2 x 512, mean over space, a hidden layer of 256, K outputs.

    The network of threshold-dependent batch normalisation [Zheng et al., arXiv:2011.05280]: a block is
    conv, norm, neuron, conv, norm, plus its input, and then a neuron; where the shape changes the input
    passes a 1x1 convolution and a norm. 12,697,994 parameters at 10 classes and 32x32; the 12.63 million
    that later papers print belong to a variant whose stem has 64 channels. The logits of a step are the
    current of the last layer, which does not spike.

    Sides below 32 are padded with zeros to 32; images above 64 get a stem that reduces (``Stem``). What
    the RSC-SNN paper did to run ResNet-19 at 224x224 it does not say; this is the usual way.

    Initial weights are part of the spec: convolutions N(0, 2 / fan_in), the hidden layer
    N(0, (2 * neuron.weight_gain)^2 / fan_in), read-out N(0, 1 / fan_in), biases 0.

    Args:
        threshold_scaling: Whether the weights of the normalisations start at the neuron's threshold (1 for
            ReLU), and at its sqrt(1/2) before a residual addition, so that the sum of two branches has
            the spread of one. False starts them all at 1. The original multiplies the normalised value
            by alpha * V_th and by a learned weight that starts at 1; one weight that starts at their
            product computes the same functions, but a step of SGD moves it (alpha * V_th)^-2 times as far.
        width_divisor: Divides every number of channels and the hidden layer, for quick trials.
    """

    threshold_scaling: bool = True
    width_divisor: int = 1

    def __post_init__(self) -> None:
        require_width_divisor(self.width_divisor, widths=(_STEM_WIDTH,))

    def layers(self, blueprint: Blueprint, generator: Generator | None) -> nn.Module:
        """Return stem, blocks and head."""
        return _ResNet19(self, blueprint, generator)


class _Block(nn.Module):
    """Two convolutions and a shortcut whose currents are added before the neuron."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        neuron: AbstractNeuron,
        generator: Generator | None,
        norm_weight: float,
        sum_weight: float,
    ):
        super().__init__()
        self.first = ConvBlock(
            in_channels,
            out_channels,
            neuron=neuron,
            generator=generator,
            stride=stride,
            norm_weight=norm_weight,
        )
        self.second = ConvBlock(
            out_channels, out_channels, neuron=None, generator=generator, norm_weight=sum_weight
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = ConvBlock(
                in_channels,
                out_channels,
                neuron=None,
                generator=generator,
                kernel_size=1,
                stride=stride,
                norm_weight=sum_weight,
            )
        self.activation = Activation(neuron)

    def forward(self, spikes_TBCHW: Tensor) -> Tensor:
        current = self.second(self.first(spikes_TBCHW)) + self.shortcut(spikes_TBCHW)
        activity: Tensor = self.activation(current)
        return activity


class _ResNet19(nn.Module):
    def __init__(self, spec: ResNet19, blueprint: Blueprint, generator: Generator | None):
        super().__init__()
        neuron, divisor = blueprint.neuron, spec.width_divisor
        norm_weight = neuron.drive_scale if spec.threshold_scaling else 1.0
        sum_weight = norm_weight * math.sqrt(0.5) if spec.threshold_scaling else 1.0
        channels = _STEM_WIDTH // divisor
        self.stem = Stem(blueprint, channels, generator=generator, norm_weight=norm_weight)
        block = functools.partial(
            _Block, neuron=neuron, generator=generator, norm_weight=norm_weight, sum_weight=sum_weight
        )
        layout = [(width // divisor, num_blocks) for width, num_blocks in _STAGES]
        self.stages = make_stages(channels, layout, block)
        hidden_width = _HIDDEN_WIDTH // divisor
        self.hidden = LinearBlock(
            layout[-1][0],
            hidden_width,
            neuron=neuron,
            generator=generator,
            gain_factor=_HIDDEN_GAIN_FACTOR,
        )
        self.readout = make_linear(hidden_width, blueprint.num_classes, gain=1.0, generator=generator)

    def forward(self, current: Float[Tensor, "T B C H W"]) -> Float[Tensor, "T B K"]:
        features = self.stages(self.stem(current)).mean((3, 4))
        logits: Tensor = self.readout(self.hidden(features))
        return logits


EXAMPLES = (ResNet19(), ResNet19(threshold_scaling=False), ResNet19(width_divisor=8))
