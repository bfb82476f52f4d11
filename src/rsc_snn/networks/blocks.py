"""Blocks that networks share. Everything takes and returns [T, B, ...]; nothing keeps state.

Layers without memory see [T * B, ...], in channels_last where there are images; normalisation therefore
takes its statistics over steps and batch together.
"""

import math

import torch
from torch import Generator, Tensor, nn

from rsc_snn.networks.activation import Activation
from rsc_snn.networks.convolution import Convolution, can_convolve, convolve, is_binary
from rsc_snn.networks.hooks import has_hooks
from rsc_snn.networks.normalising import affine, can_be_affine, normalised
from rsc_snn.networks.static import is_static, once
from rsc_snn.neurons import AbstractNeuron


class ConvBlock(nn.Module):
    """Convolution without bias, batch normalisation, neuron: [T, B, C, H, W] -> [T, B, C', H', W'].

    Zeros are padded so that H' is H / stride, rounded up.

    Args:
        in_channels: C.
        out_channels: C'.
        neuron: The nonlinearity; None leaves the normalised current as it is, for a residual addition.
        generator: For the weights, which start as N(0, 2 / fan_in).
        kernel_size: Side of the kernel, odd.
        stride: Distance between outputs, in pixels.
        norm_weight: Initial weight of the normalisation: the spread of the current that it gives.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        neuron: AbstractNeuron | None,
        generator: Generator | None,
        kernel_size: int = 3,
        stride: int = 1,
        norm_weight: float = 1.0,
    ):
        super().__init__()
        self.conv = nn.utils.skip_init(
            Convolution,
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            bias=False,
            device=torch.get_default_device(),
        )
        norm = nn.BatchNorm2d(out_channels)
        nn.init.constant_(norm.weight, norm_weight)
        self.norm: nn.Module = norm
        self.activation = nn.Identity() if neuron is None else Activation(neuron)
        init_normal(self.conv.weight, gain=math.sqrt(2.0), generator=generator)
        self.conv.to(memory_format=torch.channels_last)

    def forward(self, current_TBCHW: Tensor, *, pool: "Pool | None" = None) -> Tensor:
        """Spikes, or the twin's activity, pooled if there is a pool; the current if there is no neuron.

        Of a current that is the same at every step (``is_static``) convolution and normalisation see one.
        """
        num_steps = len(current_TBCHW)
        given = once(current_TBCHW) if self._may_skip_steps() else current_TBCHW
        stacked = given.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        values = self._convolved(stacked, are_binary=is_binary(current_TBCHW))
        shape, repeats = given.shape[:2], num_steps // len(given)
        activation, norm = self.activation, self.norm
        if isinstance(activation, Activation) and activation.can_fuse() and can_join(values, norm, pool):
            known = affine(norm, values, repeats=repeats) if can_be_affine(norm) else None
            given = values.unflatten(0, shape)
            return activation.fused(given, known, num_steps=num_steps, is_pooled=pool is not None)
        drive = normalised(norm, values, repeats=repeats).unflatten(0, shape)
        activity: Tensor = activation(drive.expand(num_steps, *drive.shape[1:]))
        return activity if pool is None else pool(activity)

    def _may_skip_steps(self) -> bool:
        return isinstance(self.activation, Activation) and self.activation.kernels is not None

    def _convolved(self, stacked: Tensor, *, are_binary: bool) -> Tensor:
        conv = self.conv
        has_kernels = self._may_skip_steps() or are_binary
        keeps_less = are_binary or not any(weight.requires_grad for weight in conv.parameters())
        if has_kernels and keeps_less and torch.is_grad_enabled() and can_convolve(conv):
            return convolve(conv, stacked, are_binary=are_binary)
        current: Tensor = conv(stacked)
        return current


class LinearBlock(nn.Module):
    """Linear layer with a bias and a neuron: [T, B, N] -> [T, B, N'].

    Args:
        in_features: N.
        out_features: N'.
        neuron: The nonlinearity.
        generator: For the weights, which start as N(0, gain^2 / fan_in).
        gain_factor: The gain is the neuron's ``weight_gain`` times this.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        neuron: AbstractNeuron,
        generator: Generator | None,
        gain_factor: float = 1.0,
    ):
        super().__init__()
        gain = neuron.weight_gain * gain_factor
        self.linear = make_linear(in_features, out_features, gain=gain, generator=generator)
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


class MaxPool(nn.Module):
    """3x3 maxima at every second pixel: [T, B, C, H, W] -> [T, B, C, H/2, W/2], rounded up."""

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """Maxima; of spikes they are spikes again."""
        pooled = nn.functional.max_pool2d(current_TBCHW.flatten(0, 1), 3, stride=2, padding=1)
        unfolded: Tensor = pooled.unflatten(0, current_TBCHW.shape[:2])
        return unfolded


class Pad(nn.Module):
    """Zeros on all sides of an image, so that it gets at least the size that a network needs.

    After the classifier's normalisation of pixels, zero is the mean colour.

    Args:
        image_shape: C, H, W.
        minimum: Least height and width.
        multiple: Height and width become multiples of this.
    """

    def __init__(self, image_shape: tuple[int, int, int], *, minimum: int = 1, multiple: int = 1):
        super().__init__()
        _, height, width = image_shape
        self.height, self.width = (-(-max(side, minimum) // multiple) * multiple for side in (height, width))
        above, left = (self.height - height) // 2, (self.width - width) // 2
        self._sides = (left, self.width - width - left, above, self.height - height - above)

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """The image in the middle of zeros, or as it is where it is large enough."""
        if not any(self._sides):
            return current_TBCHW
        if is_static(current_TBCHW):
            padded = nn.functional.pad(once(current_TBCHW), self._sides)
            return padded.expand(len(current_TBCHW), *padded.shape[1:])
        return nn.functional.pad(current_TBCHW, self._sides)

    def extra_repr(self) -> str:
        """The size that it gives."""
        return f"height={self.height}, width={self.width}"


def can_join(values_NCHW: Tensor, norm: nn.Module, pool: Pool | None) -> bool:
    """Whether normalisation and pooling may be computed together with the neuron between them."""
    if len(values_NCHW) == 0 or not (isinstance(norm, nn.Identity) or can_be_affine(norm)):
        return False
    is_even = values_NCHW.shape[-1] % 2 == 0 and values_NCHW.shape[-2] % 2 == 0
    return pool is None or (is_even and not has_hooks(pool))


def make_linear(
    in_features: int, out_features: int, *, gain: float, generator: Generator | None
) -> nn.Linear:
    """A linear layer whose weights start as N(0, gain^2 / fan_in), its bias as 0."""
    linear: nn.Linear = nn.utils.skip_init(
        nn.Linear, in_features, out_features, device=torch.get_default_device()
    )
    init_normal(linear.weight, gain=gain, generator=generator)
    nn.init.zeros_(linear.bias)
    return linear


def init_normal(weight: Tensor, *, gain: float, generator: Generator | None) -> None:
    """Fill with N(0, gain^2 / fan_in), where fan_in is the number of inputs of one output.

    A weight of the meta device has nothing to fill; no number is drawn for it.
    """
    if weight.is_meta:
        return
    fan_in = weight[0].numel()
    nn.init.normal_(weight, std=gain / math.sqrt(fan_in), generator=generator)
