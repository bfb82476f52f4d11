"""Norms: which perturbations are allowed, and which step raises a linear loss the most."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.errors import RangeError
from rsc_snn.rng import Randomness, normal_like, uniform_like
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractNorm(Spec):
    """A norm of perturbations, in pixel units; every operation treats images one by one."""

    @abstractmethod
    def size(self, perturbation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        """Return the norm of each perturbation."""
        raise NotImplementedError

    @abstractmethod
    def project(self, perturbation: Float[Tensor, "B C H W"], eps: float) -> Float[Tensor, "B C H W"]:
        """Return the nearest perturbation of norm at most ``eps``."""
        raise NotImplementedError

    @abstractmethod
    def steepest(self, gradient: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the perturbation of norm 1 that raises a linear loss the most; 0 for a zero gradient."""
        raise NotImplementedError

    @abstractmethod
    def random(
        self, image: Float[Tensor, "B C H W"], eps: float, *, generator: Randomness
    ) -> Float[Tensor, "B C H W"]:
        """Return a random perturbation of norm at most ``eps``, shaped like ``image``."""
        raise NotImplementedError

    @final
    def stretched(self, perturbation: Float[Tensor, "B C H W"], eps: float) -> Float[Tensor, "B C H W"]:
        """Return the perturbation times the number that makes its norm ``eps``; 0 stays 0."""
        largest = perturbation.abs().flatten(1).amax(1)  # divided out first, against underflow
        scaled = perturbation / _per_image(largest).clamp_min(_tiny(perturbation))
        return eps * (scaled / _per_image(self.size(scaled)).clamp_min(_tiny(scaled)))

    @abstractmethod
    def largest(self, num_pixels: int) -> float:
        """Return the largest norm that a perturbation between two images in [0, 1] can have."""
        raise NotImplementedError

    def require_eps(self, eps: float, *, num_pixels: int | None = None) -> None:
        """Raise RangeError unless ``eps`` is in pixel units: at least 0 and not above ``largest``."""
        if not (0 <= eps < math.inf):
            raise RangeError(f"eps must be >= 0 in pixel units, such as 8/255, got {eps:g}")
        limit = self.largest(num_pixels) if num_pixels else self.largest(1)
        is_checkable = num_pixels is not None or limit == self.largest(4)
        if is_checkable and eps > limit:
            raise RangeError(
                f"eps is in pixel units and at most {limit:g} in {self.name}, got {eps:g}; "
                f"did you mean {eps:g}/255?"
            )

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name in rows and options."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Linf(AbstractNorm):
    """The largest change of any pixel."""

    @property
    def name(self) -> str:
        """Linf."""
        return "linf"

    def size(self, perturbation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        """Return the largest absolute value."""
        return perturbation.abs().flatten(1).amax(1)

    def project(self, perturbation: Float[Tensor, "B C H W"], eps: float) -> Float[Tensor, "B C H W"]:
        """Clip every pixel to [-eps, eps]."""
        return perturbation.clamp(-eps, eps)

    def steepest(self, gradient: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the sign."""
        return gradient.sign()

    def random(
        self, image: Float[Tensor, "B C H W"], eps: float, *, generator: Randomness
    ) -> Float[Tensor, "B C H W"]:
        """Return pixels uniform in [-eps, eps)."""
        return eps * (2 * uniform_like(image, 1, generator)[0] - 1)

    def largest(self, num_pixels: int) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True, kw_only=True)
class L2(AbstractNorm):
    """The Euclidean length of the perturbation."""

    @property
    def name(self) -> str:
        """l2."""
        return "l2"

    def size(self, perturbation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
        """Return the length."""
        sizes: Tensor = torch.linalg.vector_norm(perturbation, dim=(1, 2, 3))
        return sizes

    def project(self, perturbation: Float[Tensor, "B C H W"], eps: float) -> Float[Tensor, "B C H W"]:
        """Shorten what is longer than ``eps``."""
        size = _per_image(self.size(perturbation))
        return perturbation * (eps / size.clamp_min(_tiny(size))).clamp_max(1)

    def steepest(self, gradient: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the direction; the largest entry is divided out first, against underflow."""
        scaled = gradient / _per_image(gradient.abs().flatten(1).amax(1)).clamp_min(_tiny(gradient))
        return scaled / _per_image(self.size(scaled)).clamp_min(_tiny(gradient))

    def random(
        self, image: Float[Tensor, "B C H W"], eps: float, *, generator: Randomness
    ) -> Float[Tensor, "B C H W"]:
        """Return a point uniform in the ball."""
        direction, other = normal_like(image, 2, generator)
        share = torch.special.ndtr(other.flatten(1)[:, 0])  # uniform, from the same draw
        return eps * _per_image(share ** (1 / image[0].numel())) * self.steepest(direction)

    def largest(self, num_pixels: int) -> float:
        """Return the diagonal of the cube of images."""
        return math.sqrt(num_pixels)


def _per_image(values: Tensor) -> Tensor:
    return values.reshape(-1, 1, 1, 1)


def _tiny(values: Tensor) -> float:
    return torch.finfo(values.dtype).tiny


EXAMPLES = (Linf(), L2())
