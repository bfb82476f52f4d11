"""What the noise of a coding proves about whatever stands behind it. Needs no torch."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

from scipy.special import ndtr, ndtri

from rsc_snn.errors import RangeError

UNIFORM_STEP = 2.0**-24  # of the uniform numbers in ``rng``


@dataclass(frozen=True, kw_only=True)
class AbstractGuarantee:
    """A bound on how much a change of the image can change the probability of an answer.

    It holds for any network behind the coding, as long as draws are independent and nothing is kept between
    them.
    """

    @property
    @abstractmethod
    def norm(self) -> str:
        """Norm of the change: "l2" or "l1", in pixel units."""
        raise NotImplementedError

    @property
    @abstractmethod
    def scale(self) -> float:
        """What radii are proportional to, in pixel units."""
        raise NotImplementedError

    @abstractmethod
    def under_attack(self, chance: float, radius: float) -> float:
        """Return the least probability of an answer after a change of norm ``radius``.

        Args:
            chance: Its probability before, in [0, 1].
            radius: Norm of the change, >= 0.
        """
        raise NotImplementedError

    @abstractmethod
    def chance_for(self, radius: float) -> float:
        """Return the probability above which an answer keeps the majority within ``radius``.

        It may be 1 or more: then no probability is enough.
        """
        raise NotImplementedError

    @abstractmethod
    def _radius(self, chance: float) -> float:
        """Return the radius for a probability above 1/2."""
        raise NotImplementedError

    @final
    def radius(self, chance: float) -> float:
        """Return the norm below which no change takes the majority from an answer of probability ``chance``.

        0 where it has no majority.
        """
        return self._radius(chance) if chance > 0.5 else 0.0


@dataclass(frozen=True, kw_only=True)
class GaussianNoise(AbstractGuarantee):
    """Noise N(0, std^2) on every pixel, whatever is done to the sum [Cohen et al., arXiv:1902.02918, Thm. 1].

    Args:
        std: Standard deviation in pixel units, > 0.
    """

    std: float

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise RangeError(f"std must be above 0, got {self.std}")

    @property
    def norm(self) -> str:
        """l2."""
        return "l2"

    @property
    def scale(self) -> float:
        """The standard deviation."""
        return self.std

    def under_attack(self, chance: float, radius: float) -> float:
        """Return Phi(Phi^-1(chance) - radius / std), by the lemma of Neyman and Pearson."""
        return float(ndtr(ndtri(chance) - radius / self.std))

    def chance_for(self, radius: float) -> float:
        """Return Phi(radius / std)."""
        return float(ndtr(radius / self.std))

    def _radius(self, chance: float) -> float:
        return float(self.std * ndtri(chance))


@dataclass(frozen=True, kw_only=True)
class BernoulliSpikes(AbstractGuarantee):
    """Independent spikes with the pixel as their probability, at every step.

    A change of a pixel by d changes the distribution of one of its spikes by d in total variation, and that
    of all spikes of all steps by at most T times the l_1 norm [Mukhoty et al., ICLR 2024; the released code
    leaves out the factor]. Spikes are drawn by uniform numbers on a grid of 2**-24, so that the probability
    is the pixel rounded up to it: every pixel value may gain one cell, which is taken off the radius.

    Args:
        num_steps: T, >= 1.
        num_values: Pixel values of an image, >= 1.
    """

    num_steps: int
    num_values: int

    def __post_init__(self) -> None:
        if self.num_steps < 1 or self.num_values < 1:
            raise RangeError(f"expected at least one step and one pixel value, got {self}")

    @property
    def norm(self) -> str:
        """l1."""
        return "l1"

    @property
    def scale(self) -> float:
        """1 / T."""
        return 1 / self.num_steps

    def under_attack(self, chance: float, radius: float) -> float:
        """Return chance - T * (radius + the grid's share), at least 0; the chance itself at radius 0."""
        return max(0.0, chance - self._loss(radius))

    def chance_for(self, radius: float) -> float:
        """Return 1/2 + T * (radius + the grid's share)."""
        return 0.5 + self._loss(radius)

    def _radius(self, chance: float) -> float:
        return max(0.0, (chance - 0.5) / self.num_steps - self._grid)

    @property
    def _grid(self) -> float:
        return self.num_values * UNIFORM_STEP

    def _loss(self, radius: float) -> float:
        return self.num_steps * (radius + self._grid) if radius > 0 else 0.0


def guarantee_of(norm: str, scale: float, num_values: int) -> AbstractGuarantee:
    """Return the guarantee that a row tells of by its norm, its scale and the number of pixel values."""
    if norm == "l2":
        return GaussianNoise(std=scale)
    return BernoulliSpikes(num_steps=round(1 / scale), num_values=num_values)
