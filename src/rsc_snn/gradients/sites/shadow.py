"""Replacing a spike function that a module of another library holds as an attribute."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rsc_snn.gradients.sites.base import Undo
from rsc_snn.neurons.base import Fire

_NOTHING = object()


class Refired:
    """The spikes of a function, with the derivative of another.

    Libraries differ in whether a neuron fires exactly at its threshold, so that only the derivative is
    taken from ``fire``.

    Attributes:
        spiking: False: asked for by SpikingJelly's neurons, some of which fire without any derivative in
            eval mode where it is True.
    """

    spiking = False

    def __init__(self, original: Callable[[Tensor], Tensor], fire: Fire):
        self._original, self._fire = original, fire

    def __call__(self, u: Tensor) -> Tensor:
        """Return the spikes for membrane minus threshold [B, ...]."""
        with torch.no_grad():
            spikes = self._original(u)
        return _as_valued(self._fire(u), spikes)


def shadow(module: nn.Module, name: str, value: object) -> Undo:
    """Let ``module.name`` be ``value``; what was there, a submodule too, stays in its place behind it.

    Returns:
        What removes the shadow.
    """
    attributes: dict[str, Any] = vars(module)
    earlier = attributes.get(name, _NOTHING)
    attributes[name] = value

    def undo() -> None:
        if earlier is _NOTHING:
            del attributes[name]
        else:
            attributes[name] = earlier

    return undo


def class_names(module: nn.Module, package: str) -> set[str]:
    """Names of the classes of a package that a module derives from; the package is not imported."""
    classes = type(module).__mro__
    return {cls.__name__ for cls in classes if cls.__module__.partition(".")[0] == package}


def _as_valued(spikes: Tensor, values: Tensor) -> Tensor:
    valued: Tensor = _Valued.apply(spikes, values)  # type: ignore[no-untyped-call]
    return valued


class _Valued(torch.autograd.Function):
    """The values of one tensor, which no rounding touches, with the gradient of another."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, values: Tensor) -> Tensor:
        return values.to(spikes.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None
