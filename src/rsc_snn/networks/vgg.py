"""VGG networks: convolutions, average pooling, two hidden linear layers and a linear read-out."""

import itertools
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor, nn

from rsc_snn.errors import RangeError
from rsc_snn.networks.base import AbstractNetwork, Blueprint, require_divisible
from rsc_snn.networks.blocks import ConvBlock, LinearBlock, Pool, make_linear

_VGG5_CHANNELS = (64, None, 128, 128, None)  # None is a pooling layer


@dataclass(frozen=True, kw_only=True)
class VGG5(AbstractNetwork):
    """conv 64, pool, conv 128, conv 128, pool, two hidden linear layers, K outputs.

    The design of SNN-RAT's code, which the paper's protocol follows; the paper itself does not define
    its VGG-5. Images may have any height and width divisible by 4, and 1 or 3 channels. The output does
    not spike: the logits of a step are the current of the last layer.

    Initial weights are part of the spec: convolutions N(0, 2 / fan_in) before batch normalisation,
    hidden linear layers N(0, neuron.weight_gain^2 / fan_in), read-out N(0, 1 / fan_in), biases 0. With
    torch's default the hidden spiking layers would start silent.

    Args:
        hidden_width: Neurons in each of the two hidden linear layers.
    """

    hidden_width: int = 4096

    def __post_init__(self) -> None:
        if self.hidden_width < 1:
            raise RangeError(f"hidden_width must be at least 1, got {self.hidden_width}")

    def layers(self, blueprint: Blueprint, generator: Generator | None) -> nn.Module:
        """Return the stack of layers."""
        require_divisible(blueprint.image_shape, divisor=4)
        return _VGG(_VGG5_CHANNELS, self.hidden_width, blueprint, generator)


class _VGG(nn.Module):
    def __init__(
        self,
        layout: tuple[int | None, ...],
        hidden_width: int,
        blueprint: Blueprint,
        generator: Generator | None,
    ):
        super().__init__()
        neuron = blueprint.neuron
        channels, height, width = blueprint.image_shape
        features: list[nn.Module] = []
        for out_channels in layout:
            if out_channels is None:
                features.append(Pool())
                height, width = height // 2, width // 2
            else:
                features.append(ConvBlock(channels, out_channels, neuron=neuron, generator=generator))
                channels = out_channels
        self.features = nn.Sequential(*features)
        widths = (channels * height * width, hidden_width, hidden_width)
        pairs = itertools.pairwise(widths)
        self.hidden = nn.Sequential(
            *(LinearBlock(i, o, neuron=neuron, generator=generator) for i, o in pairs)
        )
        self.readout = make_linear(hidden_width, blueprint.num_classes, gain=1.0, generator=generator)

    def forward(self, current: Float[Tensor, "T B C H W"]) -> Float[Tensor, "T B K"]:
        logits: Tensor = self.readout(self.hidden(self.features(current).flatten(2)))
        return logits


EXAMPLES = (VGG5(), VGG5(hidden_width=32))
