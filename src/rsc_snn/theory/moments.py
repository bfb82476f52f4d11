"""Mean and variance of a coded pixel in closed form. Everything in float64."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.checks import require_num_steps
from rsc_snn.errors import RangeError

_FARTHEST = 40.0  # standard deviations: the normal density is 0 in float64 beyond


@dataclass(frozen=True)
class Moments:
    """Mean and variance of each coded pixel.

    Attributes:
        mean: In pixel units.
        variance: In pixel units squared, of the same shape.
    """

    mean: Float[Tensor, "*shape"]
    variance: Float[Tensor, "*shape"]

    def over_steps(self, num_steps: int, *, is_fresh: bool) -> "Moments":
        """Return those of the mean over time.

        Args:
            num_steps: T.
            is_fresh: Whether every step has noise of its own (Poisson, RSC-II); the variance is then divided
                by T. With one noise for all steps (RSC-I) it stays.
        """
        require_num_steps(num_steps)
        return Moments(self.mean, self.variance / num_steps if is_fresh else self.variance)


def poisson_moments(pixels: Float[Tensor, "*shape"]) -> Moments:
    """Those of a spike with the pixel as probability: x and x (1 - x) [RSC-SNN, Eq. 11]."""
    x = _pixels(pixels)
    return Moments(x, x * (1 - x))


def gaussian_moments(pixels: Float[Tensor, "*shape"], noise_variance: float) -> Moments:
    """Those of x + N(0, s^2) without a clamp: x and s^2 [RSC-SNN, Eq. 11]."""
    x, _ = _pixels(pixels), _deviation(noise_variance)
    return Moments(x, torch.full_like(x, noise_variance))


def clamped_moments(pixels: Float[Tensor, "*shape"], noise_variance: float) -> Moments:
    """Those of clamp(x + N(0, s^2), 0, 1) [RSC-SNN, Eq. 10].

    In units of s, what the clamp adds below is A = (a - Z)^+ with a = -x / s, what it takes away above is
    B = (Z - b)^+ with b = (1 - x) / s, of a standard normal Z. With h(u) = E[(u - Z)^+] the mean is
    x + s (h(a) - h(-b)), and the variance is that of Z + A - B, where cov(Z, A) = -Phi(a),
    cov(Z, B) = Phi(-b) and A B = 0.
    """
    x, s = _pixels(pixels), _deviation(noise_variance)
    if s == 0:
        return Moments(x, torch.zeros_like(x))
    below, above = _Excess.of(-x / s), _Excess.of((x - 1) / s)
    mean = x + s * (below.mean - above.mean)
    variance = 1 + below.variance + above.variance - 2 * (below.chance + above.chance)
    return Moments(mean, s**2 * (variance + 2 * below.mean * above.mean).clamp(min=0))


def clamp_bias(pixels: Float[Tensor, "*shape"], noise_variance: float) -> Float[Tensor, "*shape"]:
    """E[X] - x of clamped noise, without the loss of digits of a difference where it is tiny."""
    x, s = _pixels(pixels), _deviation(noise_variance)
    if s == 0:
        return torch.zeros_like(x)
    return s * (_Excess.of(-x / s).mean - _Excess.of((x - 1) / s).mean)


@dataclass(frozen=True)
class _Excess:
    """E = (u - Z)^+ of a standard normal Z, for u <= 0: what lies beyond an edge at distance -u."""

    chance: Tensor
    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, edge: Tensor) -> "_Excess":
        t = (-edge).clamp(max=_FARTHEST)
        density = torch.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
        mills = math.sqrt(math.pi / 2) * torch.special.erfcx(t / math.sqrt(2))  # Phi(-t) / density
        mean = density * (1 - t * mills)
        square = density * ((1 + t**2) * mills - t)
        return cls(density * mills, mean, square - mean**2)


def _pixels(pixels: Tensor) -> Tensor:
    x = pixels.to(torch.float64)
    if x.numel() and not bool(((x >= 0) & (x <= 1)).all()):
        raise RangeError(
            f"pixels must lie in [0, 1], got [{float(x.min()):.4g}, {float(x.max()):.4g}]; divide 8-bit "
            "images by 255"
        )
    return x


def _deviation(noise_variance: float) -> float:
    if not 0 <= noise_variance < math.inf:
        raise RangeError(
            f"variance must be finite and >= 0 in pixel units squared, got {noise_variance}; a standard "
            "deviation is squared first"
        )
    return math.sqrt(noise_variance)
