"""The first layers of a residual network, which depend on the size of the image."""

from torch import Generator, Tensor, nn

from rsc_snn.networks.base import Blueprint
from rsc_snn.networks.blocks import ConvBlock, MaxPool, Pad

_SMALLEST = 32
_LARGEST_UNREDUCED = 64


class Stem(nn.Module):
    """Images to the channels of the first stage: [T, B, C, H, W] -> [T, B, C', H', W'].

    Images with a side above 64 get a 7x7 convolution of stride 2 and a 3x3 max pool of stride 2, which
    leave 56x56 of 224x224 [He et al., arXiv:1512.03385, Table 1]; smaller ones a 3x3 convolution that
    keeps their size. Sides below 32 are padded with zeros to 32.

    Args:
        blueprint: Gives the shape of the images and the neuron.
        channels: C'.
        generator: For the weights.
        norm_weight: Initial weight of the normalisation.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        channels: int,
        *,
        generator: Generator | None,
        norm_weight: float = 1.0,
    ):
        super().__init__()
        in_channels, height, width = blueprint.image_shape
        is_reducing = max(height, width) > _LARGEST_UNREDUCED
        self.pad = Pad(blueprint.image_shape, minimum=_SMALLEST)
        self.block = ConvBlock(
            in_channels,
            channels,
            neuron=blueprint.neuron,
            generator=generator,
            kernel_size=7 if is_reducing else 3,
            stride=2 if is_reducing else 1,
            norm_weight=norm_weight,
        )
        self.pool = MaxPool() if is_reducing else nn.Identity()

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """Spikes, or the twin's activity."""
        activity: Tensor = self.pool(self.block(self.pad(current_TBCHW)))
        return activity
