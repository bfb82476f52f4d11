"""Theorems 3.2 and 3.3: covariances of a linear layer's outputs, by formula and by sampling.

Axes: D pixel values of a patch, M outputs, N samples. Everything in float64.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.errors import RangeError, ShapeError
from rsc_snn.rng import Streams
from rsc_snn.theory.noises import AbstractNoise

_NUMBERS_AT_ONCE = 2**19
_LEAST_SAMPLES = 1000


@dataclass(frozen=True)
class Layer:
    """A linear layer on a patch of an image: outputs = weight @ pixels + bias.

    Attributes:
        name: What rows call it.
        weight: float64; D runs over C, H, W of the patch.
        bias: float64.
        patch_shape: C, H, W.
    """

    name: str
    weight: Float[Tensor, "M D"]
    bias: Float[Tensor, "M"]
    patch_shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        channels, height, width = self.patch_shape
        if self.weight.shape != (len(self.bias), channels * height * width):
            raise ShapeError(
                f"the weight must be [M, D] = [{len(self.bias)}, {channels * height * width}] for a patch "
                f"{list(self.patch_shape)}, got {list(self.weight.shape)}"
            )

    def outputs(self, pixels: Float[Tensor, "N D"]) -> Float[Tensor, "N M"]:
        """Return the outputs for each row of pixels."""
        return pixels @ self.weight.T + self.bias


def output_covariance(weight: Float[Tensor, "M D"], variance: Float[Tensor, "D"]) -> Float[Tensor, "M M"]:
    """W diag(variance) W^T, for pixels that are independent of each other."""
    return (weight * variance) @ weight.T


def poisson_covariance(weight: Float[Tensor, "M D"], pixels: Float[Tensor, "D"]) -> Float[Tensor, "M M"]:
    """Theorem 3.2 before the attack: W diag(x (1 - x)) W^T."""
    return output_covariance(weight, pixels * (1 - pixels))


def attacked_poisson_covariance(
    weight: Float[Tensor, "M D"], pixels: Float[Tensor, "D"], change: Float[Tensor, "D"]
) -> Float[Tensor, "M M"]:
    """Theorem 3.2 after the attack: W diag(x (1 - x) + eps (1 - 2 x) - eps^2) W^T."""
    return output_covariance(weight, pixels * (1 - pixels) + change * (1 - 2 * pixels) - change**2)


def smoothing_covariance(weight: Float[Tensor, "M D"], noise_variance: float) -> Float[Tensor, "M M"]:
    """Theorem 3.3, before and after: W diag(s^2) W^T."""
    return noise_variance * weight @ weight.T


@dataclass(frozen=True)
class Sampled:
    """Mean and covariance of samples, each entry with its standard error.

    Attributes:
        mean: Sample mean.
        mean_error: sqrt(s_ii / N).
        covariance: The unbiased sample covariance s_ij, divided by N - 1.
        error: sqrt((m_ij - c_ij^2) / N + (s_ii s_jj + s_ij^2) / (N (N - 1))) with the sample's fourth moments
            m_ij = mean of (y_i - mean_i)^2 (y_j - mean_j)^2 and c_ij = s_ij (N - 1) / N: the variance of s_ij
            for samples of any distribution, with sample moments in it. The second term is all that is left
            of a coin's variance, whose first is 0.
        num_samples: N.
    """

    mean: Float[Tensor, "M"]
    mean_error: Float[Tensor, "M"]
    covariance: Float[Tensor, "M M"]
    error: Float[Tensor, "M M"]
    num_samples: int


class PowerSums:
    """Sums of products up to the fourth order, from which ``Sampled`` follows; chunks may be of any size.

    Args:
        origin: Subtracted from every sample first, so that little is lost to rounding; best near the mean.
    """

    def __init__(self, origin: Float[Tensor, "M"]):
        size = len(origin)
        self._origin = origin
        self._count = 0
        self._first = torch.zeros(size, dtype=torch.float64)
        self._second, self._third, self._fourth = (
            torch.zeros(size, size, dtype=torch.float64) for _ in range(3)
        )

    def add(self, samples: Float[Tensor, "N M"]) -> None:
        """Count in samples."""
        z = samples.to(torch.float64) - self._origin
        square = z**2
        self._count += len(z)
        self._first += z.sum(0)
        self._second += z.T @ z
        self._third += square.T @ z
        self._fourth += square.T @ square

    def sampled(self) -> Sampled:
        """Return the estimates.

        Raises:
            RangeError: there are fewer than two samples.
        """
        n = self._count
        if n < 2:
            raise RangeError(f"a covariance needs at least 2 samples, got {n}; add more")
        a = self._first / n
        second, third, fourth = self._second / n, self._third / n, self._fourth / n
        square = second.diagonal()
        central = second - torch.outer(a, a)
        ai, aj = a[:, None], a[None, :]
        moment = (
            fourth
            - 2 * aj * third
            - 2 * ai * third.T
            + aj**2 * square[:, None]
            + ai**2 * square[None, :]
            + 4 * ai * aj * second
            - 3 * ai**2 * aj**2
        )
        covariance = central * n / (n - 1)
        variance = covariance.diagonal().clamp(min=0)
        spread = (moment - central**2) / n
        spread = spread + (torch.outer(variance, variance) + covariance**2) / (n * (n - 1))
        return Sampled(
            self._origin + a, (variance / n).sqrt(), covariance, spread.clamp(min=0).sqrt(), num_samples=n
        )


def sample_outputs(
    noise: AbstractNoise,
    layer: Layer,
    patch: Float[Tensor, "C H W"],
    *,
    num_steps: int = 1,
    num_samples: int,
    seed: int,
    purpose: str,
) -> Sampled:
    """Encode a patch again and again, and return mean and covariance of the layer's mean output over time.

    Sample k takes draw k of ``Streams(seed, "theory: PURPOSE", [0])``, so that it does not depend on chunks.

    Args:
        noise: The coding.
        layer: Whose outputs are looked at.
        patch: Pixels in [0, 1].
        num_steps: T.
        num_samples: N, at least 1,000.
        seed: Any integer.
        purpose: What tells this use of the seed from others.

    Raises:
        RangeError: too few samples for a standard error that means something.
        ShapeError: the patch is not that of the layer.
    """
    require_samples(num_samples)
    if tuple(patch.shape) != layer.patch_shape:
        raise ShapeError(
            f"the layer sees patches {list(layer.patch_shape)}, got {list(patch.shape)}; cut the image"
        )
    pixels = patch.to(torch.float64)
    sums = PowerSums(layer.outputs(pixels.reshape(1, -1))[0])
    size = max(1, _NUMBERS_AT_ONCE // (num_steps * pixels.numel()))
    for first in range(0, num_samples, size):
        draws = range(first, min(first + size, num_samples))
        streams = Streams(seed, f"theory: {purpose}", [0] * len(draws)).at(draws)
        batch = pixels.expand(len(draws), *pixels.shape)
        current = noise.encode(batch, num_steps, generator=streams)
        sums.add(layer.outputs(current.mean(0).flatten(1)))
    return sums.sampled()


def require_samples(num_samples: int) -> None:
    """Raise RangeError unless there are enough samples for standard errors from fourth moments."""
    if num_samples < _LEAST_SAMPLES:
        raise RangeError(f"--samples must be at least {_LEAST_SAMPLES}, got {num_samples}; 100000 is usual")
