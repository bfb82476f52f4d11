"""VGG networks: convolutions, average pooling, two hidden linear layers and a linear read-out.

Initial weights are part of the spec: convolutions N(0, 2 / fan_in) before batch normalisation, whose
weights start at 1, hidden linear layers N(0, neuron.weight_gain^2 / fan_in), read-out N(0, 1 / fan_in),
biases 0. With torch's default the hidden spiking layers would start silent. The output does not spike:
the logits of a step are the current of the last layer.
"""

import itertools
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor, nn

from rsc_snn.errors import RangeError
from rsc_snn.networks.base import AbstractNetwork, Blueprint, require_divisible, require_width_divisor
from rsc_snn.networks.blocks import ConvBlock, LinearBlock, Pad, Pool, make_linear
from rsc_snn.networks.stack import Stack

_LAYOUT_5 = (64, None, 128, 128, None)  # None is a pooling layer
_LAYOUT_11 = (64, None, 128, 256, None, 512, 512, 512, None, 512, 512)
_LAYOUT_16 = (
    *(64, 64, None),
    *(128, 128, None),
    *(256, 256, 256, None),
    *(512, 512, 512, None),
    *(512, 512, 512, None),
)
_NARROWEST = 64


@dataclass(frozen=True, kw_only=True)
class AbstractVGG(AbstractNetwork):
    """What the VGG networks share: the width of their two hidden linear layers, and how to narrow them.

    Args:
        hidden_width: Neurons in each of the two hidden linear layers.
        width_divisor: Divides ``hidden_width`` and every number of channels, for quick trials; a divisor
            of 64 and of ``hidden_width``.
    """

    hidden_width: int = 4096
    width_divisor: int = 1

    def __post_init__(self) -> None:
        if self.hidden_width < 1:
            raise RangeError(f"hidden_width must be at least 1, got {self.hidden_width}")
        require_width_divisor(self.width_divisor, widths=(_NARROWEST, self.hidden_width))


@dataclass(frozen=True, kw_only=True)
class VGG5(AbstractVGG):
    """conv 64, pool, conv 128, conv 128, pool, two hidden linear layers, K outputs.

    The design of SNN-RAT's code, which the paper's protocol follows; the paper itself does not define
    its VGG-5. Images may have any height and width divisible by 4, and 1 or 3 channels.

    Args:
        hidden_width: Neurons in each of the two hidden linear layers.
        width_divisor: Divides ``hidden_width`` and every number of channels, for quick trials.
    """

    def layers(self, blueprint: Blueprint, generator: Generator | None) -> nn.Module:
        """Return the stack of layers."""
        require_divisible(blueprint.image_shape, divisor=4)
        return _VGG(self, _LAYOUT_5, Pad(blueprint.image_shape), blueprint, generator)


@dataclass(frozen=True, kw_only=True)
class VGG11(AbstractVGG):
    """Eight convolutions in groups of 1, 2, 3 and 2 with pools between, two hidden linear layers, K outputs.

    conv 64, pool, conv 128, 256, pool, conv 512, 512, 512, pool, conv 512, 512: the design of SNN-RAT's
    code, which the paper's protocol follows; the paper names VGG-11 for CIFAR-100 and leaves open its
    layers. There is no pool before the linear layers, which see 8192 numbers of a 32x32 image.

    Images smaller than 32 are padded with zeros to 32, others to the next multiple of 8.

    Args:
        hidden_width: Neurons in each of the two hidden linear layers.
        width_divisor: Divides ``hidden_width`` and every number of channels, for quick trials.
    """

    def layers(self, blueprint: Blueprint, generator: Generator | None) -> nn.Module:
        """Return the stack of layers."""
        pad = Pad(blueprint.image_shape, minimum=32, multiple=8)
        return _VGG(self, _LAYOUT_11, pad, blueprint, generator)


@dataclass(frozen=True, kw_only=True)
class VGG16(AbstractVGG):
    """Thirteen convolutions in five groups, each with a pool, two hidden linear layers, K outputs.

    Twice 64, twice 128, three times 256, 512 and 512 [Simonyan & Zisserman, arXiv:1409.1556, column D]
    with batch normalisation and average pools. The paper names VGG-16 for Tiny-ImageNet (64x64) and
    leaves open the pools, the width of the linear layers, dropout and whether convolutions are
    normalised; here they are those of VGG-5 and VGG-11, without dropout. The linear layers see 512
    numbers of a 32x32 image and 2048 of a 64x64 image.

    Images are padded with zeros to the next multiple of 32.

    Args:
        hidden_width: Neurons in each of the two hidden linear layers.
        width_divisor: Divides ``hidden_width`` and every number of channels, for quick trials.
    """

    def layers(self, blueprint: Blueprint, generator: Generator | None) -> nn.Module:
        """Return the stack of layers."""
        pad = Pad(blueprint.image_shape, multiple=32)
        return _VGG(self, _LAYOUT_16, pad, blueprint, generator)


class _VGG(nn.Module):
    def __init__(
        self,
        spec: AbstractVGG,
        layout: tuple[int | None, ...],
        pad: Pad,
        blueprint: Blueprint,
        generator: Generator | None,
    ):
        super().__init__()
        neuron, divisor = blueprint.neuron, spec.width_divisor
        channels, height, width = blueprint.image_shape[0], pad.height, pad.width
        self.pad = pad
        features: list[nn.Module] = []
        for full_width in layout:
            if full_width is None:
                features.append(Pool())
                height, width = height // 2, width // 2
            else:
                out_channels = full_width // divisor
                features.append(ConvBlock(channels, out_channels, neuron=neuron, generator=generator))
                channels = out_channels
        self.features = Stack(*features)
        hidden_width = spec.hidden_width // divisor
        widths = (channels * height * width, hidden_width, hidden_width)
        pairs = itertools.pairwise(widths)
        self.hidden = nn.Sequential(
            *(LinearBlock(i, o, neuron=neuron, generator=generator) for i, o in pairs)
        )
        self.readout = make_linear(hidden_width, blueprint.num_classes, gain=1.0, generator=generator)

    def forward(self, current: Float[Tensor, "T B C H W"]) -> Float[Tensor, "T B K"]:
        logits: Tensor = self.readout(self.hidden(self.features(self.pad(current)).flatten(2)))
        return logits


EXAMPLES = (
    VGG5(),
    VGG5(hidden_width=32),
    VGG5(width_divisor=8),
    VGG11(),
    VGG11(hidden_width=512, width_divisor=16),
    VGG16(),
    VGG16(hidden_width=256, width_divisor=8),
)
