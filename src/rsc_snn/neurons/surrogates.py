"""Surrogate derivatives of the step function, as functions of u = membrane - threshold.

Each integrates to 1 over u, so that it is a smoothed Dirac impulse of the stated shape and width.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.errors import RangeError
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractSurrogate(Spec):
    """A Heaviside step forward, and a smooth derivative backward."""

    @final
    def __call__(self, u: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Return 1 where ``u`` >= 0, else 0; the gradient is ``derivative(u)``."""
        spikes: Tensor = _Step.apply(u, self)  # type: ignore[no-untyped-call]
        return spikes

    @abstractmethod
    def derivative(self, u: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Return the surrogate of d spike / d u, elementwise."""
        raise NotImplementedError


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, surrogate: AbstractSurrogate) -> Tensor:
        ctx.save_for_backward(u)
        ctx.surrogate = surrogate
        return (u >= 0).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        return grads[0] * ctx.surrogate.derivative(u), None


@dataclass(frozen=True, kw_only=True)
class Triangle(AbstractSurrogate):
    """max(0, width - |u|) / width^2 [TET, arXiv:2202.11946; SNN-RAT].

    Args:
        width: Half of the base, in units of the membrane, > 0.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        _require_positive("width", self.width)

    def derivative(self, u: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Return the triangle at ``u``."""
        return (self.width - u.abs()).clamp_min(0) / self.width**2


@dataclass(frozen=True, kw_only=True)
class Rectangle(AbstractSurrogate):
    """1 / width where |u| < width / 2, else 0 [STBP, Wu et al. 2018].

    Args:
        width: Length of the base, in units of the membrane, > 0.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        _require_positive("width", self.width)

    def derivative(self, u: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Return the rectangle at ``u``."""
        return (u.abs() < self.width / 2).to(u.dtype) / self.width


@dataclass(frozen=True, kw_only=True)
class Arctan(AbstractSurrogate):
    """(alpha / 2) / (1 + (pi / 2 * alpha * u)^2), the derivative of a scaled arctangent.

    Args:
        alpha: Sharpness, in inverse units of the membrane, > 0.
    """

    alpha: float = 2.0

    def __post_init__(self) -> None:
        _require_positive("alpha", self.alpha)

    def derivative(self, u: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Return the Cauchy density at ``u``."""
        return (self.alpha / 2) / (1 + (math.pi / 2 * self.alpha * u) ** 2)


@dataclass(frozen=True, kw_only=True)
class Sigmoid(AbstractSurrogate):
    """alpha * s * (1 - s) with s = sigmoid(alpha * u).

    Args:
        alpha: Sharpness, in inverse units of the membrane, > 0.
    """

    alpha: float = 4.0

    def __post_init__(self) -> None:
        _require_positive("alpha", self.alpha)

    def derivative(self, u: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Return the logistic density at ``u``."""
        s = torch.sigmoid(self.alpha * u)
        return self.alpha * s * (1 - s)


def _require_positive(name: str, value: float) -> None:
    if not (0 < value < math.inf):
        raise RangeError(f"{name} must be finite and > 0, got {value}")


EXAMPLES = (Triangle(), Rectangle(), Arctan(), Sigmoid(), Triangle(width=0.5), Rectangle(width=2.0))
