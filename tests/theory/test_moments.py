"""Closed-form moments against integrals, hand values and the product's codings."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from rsc_snn.errors import RangeError
from rsc_snn.theory.moments import clamp_bias, clamped_moments, gaussian_moments, poisson_moments
from rsc_snn.theory.noises import PoissonNoise, SmoothingNoise, UnclampedNoise
from tests.helpers import seeded

PIXELS = (0.0, 0.02, 0.3, 0.5, 0.97, 1.0)


def pixel(x: float) -> torch.Tensor:
    return torch.tensor([x], dtype=torch.float64)


def integrated(x: float, variance: float, power: int) -> float:
    """E[clamp(x + noise)^power]: inside by quadrature, the upper edge by its probability."""
    std = math.sqrt(variance)
    low, high = max(0.0, x - 12 * std), min(1.0, x + 12 * std)
    inside = quad(lambda y: y**power * norm.pdf(y, x, std), low, high, epsabs=1e-14, limit=400)[0]
    return float(inside + norm.sf((1 - x) / std))


@pytest.mark.parametrize("variance", [1e-6, 0.01, 0.1, 0.5, 100.0])
@pytest.mark.parametrize("x", PIXELS)
def test_clamped_moments_are_the_integrals(x: float, variance: float) -> None:
    found = clamped_moments(pixel(x), variance)
    mean = integrated(x, variance, 1)
    second = integrated(x, variance, 2)
    assert float(found.mean) == pytest.approx(mean, rel=1e-9, abs=1e-13)
    assert float(found.variance) == pytest.approx(second - mean**2, rel=1e-7, abs=1e-13)
    assert float(clamp_bias(pixel(x), variance)) == pytest.approx(mean - x, abs=1e-12)


def test_a_black_pixel_by_hand() -> None:
    """Noise far from the upper edge: half of it is cut, E = s / sqrt(2 pi), var = s^2 (1/2 - 1 / (2 pi))."""
    found = clamped_moments(pixel(0.0), 1e-4)
    assert float(found.mean) == pytest.approx(0.01 / math.sqrt(2 * math.pi), rel=1e-12)
    assert float(found.variance) == pytest.approx(1e-4 * (0.5 - 0.5 / math.pi), rel=1e-12)


def test_limits_by_hand() -> None:
    """No noise: the pixel. Endless noise: black or white, each with probability 1/2."""
    none, endless = clamped_moments(pixel(0.3), 0.0), clamped_moments(pixel(0.5), 1e8)
    assert (float(none.mean), float(none.variance)) == (0.3, 0.0)
    assert float(endless.mean) == pytest.approx(0.5)
    assert float(endless.variance) == pytest.approx(0.25, rel=1e-3)


def test_black_and_white_mirror_each_other() -> None:
    x = torch.linspace(0, 1, 33, dtype=torch.float64)
    there, back = clamped_moments(x, 0.1), clamped_moments(1 - x, 0.1)
    torch.testing.assert_close(there.mean, 1 - back.mean, rtol=0, atol=1e-15)
    torch.testing.assert_close(there.variance, back.variance, rtol=1e-13, atol=0)


@pytest.mark.parametrize("distance", [2.0, 8.0, 20.0])
def test_tails_keep_their_digits(distance: float) -> None:
    """The bias of a pixel many standard deviations from an edge is tiny, and right to nine digits."""
    std = 0.4 / distance  # the upper edge is farther by half, where nothing is left
    truth = (
        quad(
            lambda z: (z - distance) * norm.pdf(z), distance, distance + 10, epsabs=0, epsrel=1e-12, limit=400
        )[0]
        - quad(lambda z: (z - 1.5 * distance) * norm.pdf(z), 1.5 * distance, 1.5 * distance + 10, epsabs=0)[0]
    )
    assert float(clamp_bias(pixel(0.4), std**2)) == pytest.approx(std * truth, rel=1e-9)


def test_far_tails_are_numbers() -> None:
    found = clamped_moments(torch.linspace(0, 1, 11, dtype=torch.float64), 1e-300)
    assert torch.isfinite(found.mean).all()
    assert torch.isfinite(found.variance).all()


def test_unclamped_and_poisson_by_hand() -> None:
    assert float(poisson_moments(pixel(0.25)).variance) == 0.1875
    assert float(gaussian_moments(pixel(0.25), 0.1).variance) == 0.1


def test_steps_divide_the_variance_where_noise_is_fresh() -> None:
    x = pixel(0.25)
    assert float(PoissonNoise().moments(x, 4).variance) == 0.1875 / 4
    one = SmoothingNoise(variance=0.1).step_moments(x).variance
    assert SmoothingNoise(variance=0.1).moments(x, 4).variance == one
    assert SmoothingNoise(variance=0.1, resample_each_step=True).moments(x, 4).variance == one / 4


def test_the_clamp_of_the_unclamped_noise_is_the_coding_bit_by_bit() -> None:
    image = torch.rand(5, 3, 4, 4, generator=seeded(0))
    free, clamped = (
        noise.encode(image, 3, generator=seeded(1))
        for noise in (UnclampedNoise(variance=0.1), SmoothingNoise(variance=0.1))
    )
    assert torch.equal(free.clamp(0, 1), clamped)
    assert not torch.equal(free, clamped)


def test_bad_pixels_and_variances_are_refused() -> None:
    with pytest.raises(RangeError, match="divide 8-bit"):
        poisson_moments(pixel(200.0))
    with pytest.raises(RangeError, match="a standard deviation is squared first"):
        clamped_moments(pixel(0.5), -0.1)
    with pytest.raises(RangeError, match="num_steps"):
        PoissonNoise().moments(pixel(0.5), 0)
