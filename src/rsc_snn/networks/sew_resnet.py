"""SEW-ResNet-18: spikes are added after the neurons, so that a block can be the identity."""

import functools
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor, nn

from rsc_snn.networks.base import AbstractNetwork, Blueprint, require_width_divisor
from rsc_snn.networks.blocks import ConvBlock, make_linear
from rsc_snn.networks.stages import make_stages
from rsc_snn.networks.stem import Stem
from rsc_snn.neurons import AbstractNeuron

_STAGES = ((64, 2), (128, 2), (256, 2), (512, 2))  # channels and blocks; all but the first halve the image
_STEM_WIDTH = 64


@dataclass(frozen=True, kw_only=True)
class SEWResNet18(AbstractNetwork):
    """Stem 64, blocks 2 x 64, 2 x 128, 2 x 256, 2 x 512, mean over space, K outputs; ADD connects.

    Spike-element-wise ResNet [Fang et al., arXiv:2102.04159]: a block is conv, norm, neuron twice, plus
    its input; where the shape changes the input passes a 1x1 convolution, a norm and a neuron. A block
    whose neurons stay silent is therefore the identity. Activity after an addition is a whole number
    that can exceed 1. The logits of a step are linear in the mean activity of each channel; the output
    does not spike.

    At 224x224 this is ResNet-18 with 11,689,512 parameters at 1000 classes. Sides below 32 are padded
    with zeros to 32; images up to 64 get a stem of one 3x3 convolution, larger ones a stem that reduces
    (``Stem``).

    Initial weights are part of the spec: convolutions N(0, 2 / fan_in) before batch normalisation, whose
    weights start at 1, read-out N(0, 1 / fan_in), biases 0.

    Args:
        width_divisor: Divides every number of channels, for quick trials; a divisor of 64.
    """

    width_divisor: int = 1

    def __post_init__(self) -> None:
        require_width_divisor(self.width_divisor, widths=(_STEM_WIDTH,))

    def layers(self, blueprint: Blueprint, generator: Generator | None) -> nn.Module:
        """Return stem, blocks and read-out."""
        return _SEWResNet18(self, blueprint, generator)


class _Block(nn.Module):
    """Two spiking convolutions and a shortcut, whose spikes are added."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        neuron: AbstractNeuron,
        generator: Generator | None,
    ):
        super().__init__()
        self.first = ConvBlock(in_channels, out_channels, neuron=neuron, generator=generator, stride=stride)
        self.second = ConvBlock(out_channels, out_channels, neuron=neuron, generator=generator)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = ConvBlock(
                in_channels, out_channels, neuron=neuron, generator=generator, kernel_size=1, stride=stride
            )

    def forward(self, activity_TBCHW: Tensor) -> Tensor:
        activity: Tensor = self.second(self.first(activity_TBCHW)) + self.shortcut(activity_TBCHW)
        return activity


class _SEWResNet18(nn.Module):
    def __init__(self, spec: SEWResNet18, blueprint: Blueprint, generator: Generator | None):
        super().__init__()
        neuron, divisor = blueprint.neuron, spec.width_divisor
        channels = _STEM_WIDTH // divisor
        self.stem = Stem(blueprint, channels, generator=generator)
        layout = [(width // divisor, num_blocks) for width, num_blocks in _STAGES]
        block = functools.partial(_Block, neuron=neuron, generator=generator)
        self.stages = make_stages(channels, layout, block)
        self.readout = make_linear(layout[-1][0], blueprint.num_classes, gain=1.0, generator=generator)

    def forward(self, current: Float[Tensor, "T B C H W"]) -> Float[Tensor, "T B K"]:
        logits: Tensor = self.readout(self.stages(self.stem(current)).mean((3, 4)))
        return logits


EXAMPLES = (SEWResNet18(), SEWResNet18(width_divisor=8))
