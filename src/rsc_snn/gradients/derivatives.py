"""Functions with a derivative that an attacker chose."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def differentiated(x: Tensor, function: Callable[[Tensor], Tensor], derivative: Tensor) -> Tensor:
    """Return ``function(x)``, of the shape of ``x``, whose gradient is multiplied by ``derivative``.

    Args:
        x: Any tensor.
        function: What is computed; what happens inside has no gradient.
        derivative: Elementwise; broadcast to the shape of ``x``.
    """
    value: Tensor = _Differentiated.apply(x, function, derivative)  # type: ignore[no-untyped-call]
    return value


def spikes(u: Tensor, derivative: Tensor) -> Tensor:
    """Return 1 where ``u`` >= 0, else 0, with d spike / d u = ``derivative``, both of one shape."""
    return differentiated(u, _step, derivative)


def _step(u: Tensor) -> Tensor:
    return (u >= 0).to(u.dtype)


class _Differentiated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[[Tensor], Tensor], derivative: Tensor) -> Tensor:
        ctx.save_for_backward(derivative)
        return function(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (derivative,) = ctx.saved_tensors
        return grads[0] * derivative, None, None
