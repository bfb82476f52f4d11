"""A layer of LIF neurons as one step of autograd: normalised values in, spikes out, nothing else kept.

Axes: S given steps (T, or 1 where the current is the same at every step), T steps, B batch, C H W image.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rsc_snn.neurons.base import AbstractSpikingNeuron
from rsc_snn.neurons.kernels import AbstractKernels, Shape

_CHANNELS_LAST = (0, 1, 3, 4, 2)
_CHANNELS_FIRST = (0, 1, 4, 2, 3)


@dataclass(frozen=True)
class Affine:
    """Normalisation of values per channel: (values - mean) * invstd * weight + bias.

    Attributes:
        weight: [C].
        bias: [C].
        mean: [C], without gradient.
        invstd: One over the standard deviation, [C], without gradient.
        eps: What was added to the variance.
        is_of_batch: Whether mean and standard deviation are those of the values, whose gradient they then
            take part in.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    invstd: Tensor
    eps: float
    is_of_batch: bool


@dataclass(frozen=True)
class Layer:
    """What is computed, and how.

    Attributes:
        neuron: A LIF neuron: its plain ``driven`` gives gradients of gradients.
        kernels: What computes spikes and gradients.
        shape: Number of steps, and whether spikes are pooled.
    """

    neuron: Any
    kernels: AbstractKernels
    shape: Shape

    def spikes(self, values: Tensor, affine: Affine | None = None) -> Tensor:
        """Return the spikes of a current over time.

        Spikes, and averages of them, have the type of ``values``. For the backward half of the pass nothing
        but ``values`` is kept: normalised values and membranes are computed again.

        Args:
            values: The current before its normalisation, [S, *N]; [S, B, C, H, W] where it is normalised or
                pooled.
            affine: How it is normalised; None where it is the current already.

        Returns:
            [T, *N], or [T, B, C, H / 2, W / 2] where it is pooled.
        """
        if affine is None:
            tensors: tuple[Tensor | None, ...] = (None, None, None, None)
        else:
            tensors = (affine.weight, affine.bias, affine.mean, affine.invstd)
        order = _Order(values, is_image=affine is not None or self.shape.is_pooled)
        flat: Tensor = _Spikes.apply(values, *tensors, self, affine)  # type: ignore[no-untyped-call]
        return order.restored(flat, is_pooled=self.shape.is_pooled)

    def plain(
        self, values: Tensor, weight: Tensor | None, bias: Tensor | None, affine: Affine | None
    ) -> Tensor:
        """Return the same by operations that autograd knows."""
        neuron: AbstractSpikingNeuron = self.neuron
        if affine is not None and affine.is_of_batch:
            flat = values.flatten(0, 1)
            normed = nn.functional.batch_norm(flat, None, None, weight, bias, training=True, eps=affine.eps)
            values = normed.unflatten(0, values.shape[:2])
        elif affine is not None:
            assert weight is not None
            assert bias is not None
            centred = values - _per_channel(affine.mean)
            values = centred * _per_channel(weight * affine.invstd) + _per_channel(bias)
        current = values.expand(self.shape.num_steps, *values.shape[1:])
        spikes = neuron.driven(current, neuron.surrogate)
        if not self.shape.is_pooled:
            return spikes
        pooled: Tensor = nn.functional.avg_pool2d(spikes.flatten(0, 1), 2).unflatten(0, spikes.shape[:2])
        return pooled


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor | None,
        invstd: Tensor | None,
        layer: Layer,
        affine: Affine | None,
    ) -> Tensor:
        ctx.save_for_backward(values, weight, bias, mean, invstd)
        ctx.layer, ctx.eps = layer, None if affine is None else affine.eps
        ctx.is_of_batch = affine is not None and affine.is_of_batch
        order = _Order(values, is_image=affine is not None or layer.shape.is_pooled)
        scale, shift = _scale_and_shift(weight, bias, mean, invstd)
        return layer.kernels.spikes(layer.neuron, order.flat(values), scale, shift, layer.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        values, weight, bias, mean, invstd = ctx.saved_tensors
        layer: Layer = ctx.layer
        order = _Order(values, is_image=weight is not None or layer.shape.is_pooled)
        if torch.is_grad_enabled():  # somebody wants a gradient of this gradient
            return _differentiable(ctx, order, grad)
        scale, shift = _scale_and_shift(weight, bias, mean, invstd)
        found = order.restored(
            layer.kernels.gradient(
                layer.neuron, order.flat(values), scale, shift, grad.contiguous(), layer.shape
            )
        )
        needed = ctx.needs_input_grad[:3]
        if weight is None:
            return found, *(6 * (None,))
        if ctx.is_of_batch or any(needed[1:]):
            parameters = (values, weight, mean, invstd, ctx.eps)
            return *_through_norm(found, *parameters, ctx.is_of_batch, needed), *(4 * (None,))
        assert scale is not None
        return found.mul_(_per_channel(scale)), *(6 * (None,))


def _differentiable(ctx: Any, order: "_Order", grad: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients as functions of everything that they depend on."""
    values, weight, bias, mean, invstd = ctx.saved_tensors
    affine = None if weight is None else Affine(weight, bias, mean, invstd, ctx.eps, ctx.is_of_batch)
    leaves = (values, weight, bias)
    needed = [leaf for leaf, is_needed in zip(leaves, ctx.needs_input_grad, strict=False) if is_needed]
    out = order.flat(ctx.layer.plain(values, weight, bias, affine))
    found = iter(torch.autograd.grad(out, needed, grad, create_graph=True))
    in_order = (next(found) if is_needed else None for is_needed in ctx.needs_input_grad[:3])
    return *in_order, *(4 * (None,))


def _through_norm(
    grad: Tensor,
    values: Tensor,
    weight: Tensor,
    mean: Tensor,
    invstd: Tensor,
    eps: float,
    is_of_batch: bool,
    needed: tuple[bool, ...],
) -> tuple[Tensor | None, ...]:
    """Gradients of values, weight and bias from that of the normalised values."""
    running = (None, None) if is_of_batch else (mean, invstd**-2 - eps)
    of_batch = (mean, invstd) if is_of_batch else (None, None)
    found = torch.ops.aten.native_batch_norm_backward(
        grad.flatten(0, 1),
        values.flatten(0, 1),
        weight,
        *running,
        *of_batch,
        is_of_batch,
        eps,
        list(needed),
    )
    in_values = found[0].unflatten(0, values.shape[:2]) if needed[0] else None
    return in_values, *(
        part if is_needed else None for part, is_needed in zip(found[1:], needed[1:], strict=True)
    )


class _Order:
    """How values lie in memory: images with their channels innermost, anything else as it comes."""

    def __init__(self, values: Tensor, *, is_image: bool):
        self.is_image = is_image
        self.is_last = is_image or (values.ndim == 5 and values.permute(_CHANNELS_LAST).is_contiguous())
        self.shape = (values.permute(_CHANNELS_LAST) if self.is_last else values).shape[1:]

    def flat(self, values: Tensor) -> Tensor:
        """[S, N], or [S, B * H, W, C]; a view where the memory lies so already."""
        lying = values.permute(_CHANNELS_LAST) if self.is_last else values
        lying = lying.contiguous()
        return lying.flatten(1, 2) if self.is_image else lying.reshape(len(lying), -1)

    def restored(self, flat: Tensor, *, is_pooled: bool = False) -> Tensor:
        """Undo ``flat``, as a view, for as many images of the same or half the height."""
        lying: Tensor
        if self.is_image:
            num_images, height = self.shape[:2]
            lying = flat.unflatten(1, (num_images, height // 2 if is_pooled else height))
        else:
            lying = flat.reshape(len(flat), *self.shape)
        return lying.permute(_CHANNELS_FIRST) if self.is_last else lying


def _scale_and_shift(
    weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, invstd: Tensor | None
) -> tuple[Tensor, Tensor] | tuple[None, None]:
    if weight is None or bias is None or mean is None or invstd is None:
        return None, None
    scale = weight * invstd
    return scale, bias - mean * scale


def _per_channel(values_C: Tensor) -> Tensor:
    return values_C[:, None, None]
