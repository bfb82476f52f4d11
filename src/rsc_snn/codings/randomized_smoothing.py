"""Randomized smoothing coding: the paper's Gaussian noise on the image."""

import math
from dataclasses import dataclass
from decimal import Decimal

from jaxtyping import Float
from torch import Tensor

from rsc_snn.checks import require_num_steps
from rsc_snn.codings.base import AbstractCoding
from rsc_snn.errors import RangeError
from rsc_snn.guarantees import GaussianNoise
from rsc_snn.rng import Randomness, normal_like


@dataclass(frozen=True, kw_only=True)
class RandomizedSmoothing(AbstractCoding):
    """Adds Gaussian noise to the image and clamps the sum to [0, 1] [RSC-SNN, Eqs. 7-10].

    The gradient with respect to the image is exact: 1 at each step where the noisy pixel lies in [0, 1],
    and 0 where it was clamped.

    Args:
        variance: Variance of the noise in pixel units squared, finite and >= 0 (the paper's sigma^2). For
            a standard deviation use ``RandomizedSmoothing.from_std``.
        resample_each_step: False draws one noise for all steps (RSC-I), True one for each (RSC-II).
    """

    variance: float = 0.1
    resample_each_step: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.variance < math.inf):
            raise RangeError(f"variance must be finite and >= 0 in pixel units squared, got {self.variance}")

    @classmethod
    def from_std(cls, std: float, *, resample_each_step: bool = False) -> "RandomizedSmoothing":
        """Make the coding whose noise has standard deviation ``std``, in pixel units.

        The square is taken in decimal: ``from_std(0.1)`` equals ``RandomizedSmoothing(variance=0.01)``.
        """
        if not (0 <= std < math.inf):
            raise RangeError(f"std must be finite and >= 0 in pixel units, got {std}")
        variance = float(Decimal(repr(float(std))) ** 2)
        return cls(variance=variance, resample_each_step=resample_each_step)

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return clamp(image + noise), in [0, 1]."""
        require_num_steps(num_steps)
        num_noises = num_steps if self.resample_each_step else 1
        noise = normal_like(image, num_noises, generator)
        noisy = (image + math.sqrt(self.variance) * noise).clamp(0, 1)
        return noisy.expand(num_steps, *image.shape)

    def guarantee(self, num_steps: int, num_values: int) -> GaussianNoise | None:
        """Return that of the Gaussian noise; None without noise.

        The clamp is a part of what stands behind the noise. The T noises of RSC-II tell of the image what
        one of variance / T does: the mean of the noisy images is a sufficient statistic.
        """
        if not self.is_random:
            return None
        num_noises = num_steps if self.resample_each_step else 1
        return GaussianNoise(std=math.sqrt(self.variance / num_noises))

    @property
    def is_random(self) -> bool:
        """Whether there is any noise."""
        return self.variance > 0

    @property
    def is_static(self) -> bool:
        """True for RSC-I."""
        return not (self.resample_each_step and self.is_random)

    @property
    def is_clamped(self) -> bool:
        """Whether there is any noise: without it no pixel leaves [0, 1]."""
        return self.is_random


EXAMPLES = (
    RandomizedSmoothing(variance=0.1),
    RandomizedSmoothing(variance=0.1, resample_each_step=True),
    RandomizedSmoothing(variance=0.0),
)
