"""The codings under test, each with its moments in closed form."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.checks import require_num_steps
from rsc_snn.codings import Direct, Poisson, RandomizedSmoothing
from rsc_snn.rng import Randomness, normal_like
from rsc_snn.theory.moments import Moments, clamped_moments, gaussian_moments, poisson_moments


@dataclass(frozen=True, kw_only=True)
class AbstractNoise(ABC):
    """A coding and what theory says about one of its pixels."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What rows call it."""
        raise NotImplementedError

    @abstractmethod
    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return the current of ``num_steps`` steps for images in [0, 1]."""
        raise NotImplementedError

    @abstractmethod
    def step_moments(self, pixels: Float[Tensor, "*shape"]) -> Moments:
        """Return mean and variance of a pixel of one step."""
        raise NotImplementedError

    @property
    @abstractmethod
    def is_fresh(self) -> bool:
        """Whether every step has noise of its own."""
        raise NotImplementedError

    def moments(self, pixels: Float[Tensor, "*shape"], num_steps: int) -> Moments:
        """Return mean and variance of a pixel of the mean over ``num_steps`` steps."""
        return self.step_moments(pixels).over_steps(num_steps, is_fresh=self.is_fresh)


@dataclass(frozen=True, kw_only=True)
class NoNoise(AbstractNoise):
    """The product's direct coding."""

    @property
    def name(self) -> str:
        """Direct."""
        return "direct"

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return the image at every step."""
        return Direct().encode(image, num_steps, generator=generator)

    def step_moments(self, pixels: Float[Tensor, "*shape"]) -> Moments:
        """Return x and 0."""
        return gaussian_moments(pixels, 0.0)

    @property
    def is_fresh(self) -> bool:
        """False: there is nothing to draw."""
        return False


@dataclass(frozen=True, kw_only=True)
class PoissonNoise(AbstractNoise):
    """The product's Poisson coding."""

    @property
    def name(self) -> str:
        """Poisson."""
        return "Poisson"

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return spikes."""
        return Poisson().encode(image, num_steps, generator=generator)

    def step_moments(self, pixels: Float[Tensor, "*shape"]) -> Moments:
        """Return x and x (1 - x)."""
        return poisson_moments(pixels)

    @property
    def is_fresh(self) -> bool:
        """True."""
        return True


@dataclass(frozen=True, kw_only=True)
class SmoothingNoise(AbstractNoise):
    """The product's randomized smoothing coding, with its clamp.

    Args:
        variance: Of the noise before the clamp, pixel units squared.
        resample_each_step: False is RSC-I, True RSC-II.
    """

    variance: float
    resample_each_step: bool = False

    @property
    def name(self) -> str:
        """RSC-I or RSC-II with the variance."""
        return f"RSC-{'II' if self.resample_each_step else 'I'} {self.variance:g}"

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return clamp(image + noise)."""
        coding = RandomizedSmoothing(variance=self.variance, resample_each_step=self.resample_each_step)
        return coding.encode(image, num_steps, generator=generator)

    def step_moments(self, pixels: Float[Tensor, "*shape"]) -> Moments:
        """Return those of the clamped normal distribution."""
        return clamped_moments(pixels, self.variance)

    @property
    def is_fresh(self) -> bool:
        """True for RSC-II."""
        return self.resample_each_step


@dataclass(frozen=True, kw_only=True)
class UnclampedNoise(AbstractNoise):
    """The noise of RSC-I before its clamp, which no product coding offers: the subject of Theorem 3.3.

    From the same streams it takes the same numbers as the coding, so that its clamp is the coding, bit by
    bit.

    Args:
        variance: Pixel units squared.
    """

    variance: float

    @property
    def name(self) -> str:
        """Unclamped noise with the variance."""
        return f"unclamped {self.variance:g}"

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return image + noise, the same at every step."""
        require_num_steps(num_steps)
        noisy = image + math.sqrt(self.variance) * normal_like(image, 1, generator)
        return noisy.expand(num_steps, *image.shape)

    def step_moments(self, pixels: Float[Tensor, "*shape"]) -> Moments:
        """Return x and the variance."""
        return gaussian_moments(pixels, self.variance)

    @property
    def is_fresh(self) -> bool:
        """False."""
        return False
