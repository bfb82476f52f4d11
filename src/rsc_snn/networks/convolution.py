"""Convolutions that keep for the backward pass what it needs: spikes as bytes, nothing for frozen weights."""

from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from rsc_snn.errors import InputError
from rsc_snn.networks.hooks import has_hooks

_MARK = "_rsc_snn_binary_version"


def marked_binary(values: Tensor) -> Tensor:
    """Mark a tensor, and return it, as one that holds nothing but 0 and 1."""
    if not values.is_inference():
        setattr(values, _MARK, values._version)
    return values


def is_binary(values: Tensor) -> bool:
    """Whether a tensor was marked, and not written to since."""
    return not values.is_inference() and getattr(values, _MARK, None) == values._version


class Convolution(nn.Conv2d):
    """A convolution whose kernel of one pixel sees only the pixels that its stride keeps.

    The same function: the others have no influence. On CPUs torch crashes in the gradient of 1x1 convolutions
    with a stride and few channels.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
        seen, _ = _seen(self, input)
        if seen is input:
            plain: Tensor = super()._conv_forward(input, weight, bias)
            return plain
        return nn.functional.conv2d(seen, weight, bias, groups=self.groups)


def _seen(conv: nn.Conv2d, values_NCHW: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Return the pixels that a convolution looks at, and the stride that is left among them."""
    is_pixelwise = tuple(conv.kernel_size) == (1, 1) and not any(conv.padding)
    if not is_pixelwise or tuple(conv.stride) == (1, 1):
        return values_NCHW, conv.stride
    rows, columns = conv.stride
    return values_NCHW[..., ::rows, ::columns].contiguous(memory_format=torch.channels_last), (1, 1)


def can_convolve(conv: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether ``convolve`` knows what ``conv`` computes, and nobody looks at it while it does."""
    if not isinstance(conv, nn.Conv2d) or type(conv).forward is not nn.Conv2d.forward:
        return False
    return (
        not has_hooks(conv)
        and conv.groups == 1
        and tuple(conv.dilation) == (1, 1)
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
    )


def convolve(conv: nn.Conv2d, values_NCHW: Tensor, *, are_binary: bool) -> Tensor:
    """Return ``conv(values)``; gradients are the same, and less is kept for them.

    Args:
        conv: One for which ``can_convolve``.
        values_NCHW: What is convolved.
        are_binary: Whether they are 0 and 1, which one byte can hold.
    """
    weight, bias = conv.weight, conv.bias
    values_NCHW, stride = _seen(conv, values_NCHW)
    device = values_NCHW.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        values_NCHW, weight = values_NCHW.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    plan = (stride, conv.padding, are_binary)
    past: Tensor = _Past.apply(values_NCHW)  # type: ignore[no-untyped-call]
    current: Tensor = _Convolution.apply(values_NCHW, weight, bias, past, plan)  # type: ignore[no-untyped-call]
    return current


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, bias: Tensor | None, past: Tensor, plan: Any
    ) -> Tensor:
        stride, padding, are_binary = plan
        kept = None
        if ctx.needs_input_grad[1]:
            kept = values.bool() if are_binary else values
        ctx.save_for_backward(kept, weight, past)
        ctx.shape, ctx.plan = values.shape, plan
        ctx.bias_sizes = None if bias is None else list(bias.shape)
        return nn.functional.conv2d(values, weight, bias, stride=stride, padding=padding)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,), (kept, weight, past) = grads, ctx.saved_tensors
        stride, padding, are_binary = ctx.plan
        if kept is None:  # only the shape is looked at
            values = torch.empty(
                ctx.shape, dtype=grad.dtype, device=grad.device, memory_format=torch.channels_last
            )
        else:
            values = kept.to(weight.dtype)
        if torch.is_grad_enabled() and (are_binary or kept is None):
            values = _Rebuilt.apply(values, past)  # type: ignore[no-untyped-call]
        geometry = (list(stride), list(padding), [1, 1], False, [0, 0], 1)
        needed = list(ctx.needs_input_grad[:3])
        found: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
            grad, values, weight, ctx.bias_sizes, *geometry, needed
        )
        return *found, None, None


class _Past(torch.autograd.Function):
    """An empty tensor that comes from ``values``: all that stays of their history."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.set_materialize_grads(False)
        return values.new_empty(0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> None:
        if grads[0] is not None:
            raise InputError(
                "the gradient of a weight's gradient needs what only the plain backend keeps; call "
                "rs.networks.set_backend(network, 'plain') first"
            )


class _Rebuilt(torch.autograd.Function):
    """Values from their bytes; a gradient towards them goes to their past, which refuses it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, past: Tensor) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(past)
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[None, Tensor | None]:
        (past,) = ctx.saved_tensors
        return None, None if grads[0] is None else torch.zeros_like(past)
