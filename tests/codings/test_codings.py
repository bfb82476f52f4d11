"""Codings against closed forms; every coding keeps the promises of its base class."""

import math

import pytest
import torch

import rsc_snn as rs
from rsc_snn import codings
from rsc_snn.codings import AbstractCoding, Direct, Poisson, RandomizedSmoothing
from rsc_snn.errors import RangeError
from rsc_snn.registry import examples
from tests.helpers import seeded

EXAMPLES = examples(codings.__name__, codings.__path__, AbstractCoding)
LEVELS = torch.tensor([0.0, 0.02, 0.25, 0.5, 0.9, 1.0])


@pytest.mark.parametrize("coding", EXAMPLES, ids=repr)
class TestEveryCoding:
    def test_shape_range_and_dtype(self, coding: AbstractCoding) -> None:
        for dtype in (torch.float32, torch.float64):
            image = torch.rand(2, 3, 4, 5, generator=seeded(0)).to(dtype)
            current = coding.encode(image, 3, generator=seeded(1))
            assert current.shape == (3, 2, 3, 4, 5)
            assert current.dtype == dtype
            assert float(current.min()) >= 0
            assert float(current.max()) <= 1

    def test_is_static_is_true_exactly_if_steps_are_equal(self, coding: AbstractCoding) -> None:
        image = torch.rand(2, 1, 8, 8, generator=seeded(0))
        current = coding.encode(image, 4, generator=seeded(1))
        assert coding.is_static == bool((current == current[:1]).all())

    def test_is_random_is_true_exactly_if_draws_differ(self, coding: AbstractCoding) -> None:
        image = torch.rand(2, 1, 8, 8, generator=seeded(0))
        first, second = (coding.encode(image, 2, generator=seeded(seed)) for seed in (1, 2))
        assert coding.is_random == (not torch.equal(first, second))

    def test_equal_generators_give_equal_noise(self, coding: AbstractCoding) -> None:
        image = torch.rand(2, 1, 8, 8, generator=seeded(0))
        for make in (lambda: seeded(3), lambda: rs.Streams(3, "score", [4, 5])):
            assert torch.equal(
                coding.encode(image, 2, generator=make()), coding.encode(image, 2, generator=make())
            )

    def test_without_a_generator_the_default_one_is_used(self, coding: AbstractCoding) -> None:
        image = torch.rand(2, 1, 8, 8, generator=seeded(0))
        with torch.random.fork_rng():
            torch.manual_seed(5)
            first = coding.encode(image, 2)
            torch.manual_seed(5)
            assert torch.equal(first, coding.encode(image, 2))

    def test_no_steps_is_an_error(self, coding: AbstractCoding) -> None:
        with pytest.raises(RangeError, match="num_steps must be at least 1, got 0"):
            coding.encode(torch.rand(1, 1, 4, 4), 0)


def moments_of_clamped_normal(mean: float, std: float) -> tuple[float, float]:
    """Mean and variance of clamp(N(mean, std^2), 0, 1), by the closed form."""

    def density(z: float) -> float:
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    def below(z: float) -> float:
        return 0.5 * math.erfc(-z / math.sqrt(2))

    a, b = -mean / std, (1 - mean) / std
    inside, above = below(b) - below(a), 1 - below(b)
    first = mean * inside + std * (density(a) - density(b)) + above
    second = (
        (mean**2 + std**2) * inside
        + 2 * mean * std * (density(a) - density(b))
        + std**2 * (a * density(a) - b * density(b))
        + above
    )
    return first, second - first**2


def clamped_moment(power: int, mean: float, std: float) -> float:
    """E[clamp(Z, 0, 1)^power] for Z ~ N(mean, std^2), by quadrature."""
    from scipy import integrate, stats

    def integrand(z: float) -> float:
        return float(min(max(z, 0.0), 1.0) ** power * stats.norm.pdf(z, mean, std))

    return float(integrate.quad(integrand, -6, 7, points=[0, 1])[0])


@pytest.mark.parametrize("variance", [0.01, 0.1, 0.5])
def test_closed_form_agrees_with_numerical_integration(variance: float) -> None:
    std = math.sqrt(variance)
    for mean in LEVELS.tolist():
        moments = [clamped_moment(power, mean, std) for power in (1, 2)]
        assert moments_of_clamped_normal(mean, std) == pytest.approx(
            (moments[0], moments[1] - moments[0] ** 2), abs=1e-7
        )


def check_moments(samples: torch.Tensor, mean: float, variance: float) -> None:
    """Sample mean and variance within five standard errors, the latter from the fourth moment."""
    numbers = samples.double().flatten()
    n = len(numbers)
    assert abs(float(numbers.mean()) - mean) <= 5 * math.sqrt(variance / n) + 1e-7
    centred = (numbers - mean) ** 2
    error = 5 * float(centred.std()) / math.sqrt(n) + 1e-7
    assert abs(float(centred.mean()) - variance) <= error


@pytest.mark.parametrize("resample", [False, True])
@pytest.mark.parametrize("variance", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("keyed", [False, True])
def test_rsc_has_the_moments_of_the_clamped_normal(resample: bool, variance: float, keyed: bool) -> None:
    coding = RandomizedSmoothing(variance=variance, resample_each_step=resample)
    image = LEVELS.reshape(1, 1, 1, -1).expand(200, 1, 100, -1)
    current = coding.encode(image, 2, generator=rs.Streams(1, "score", range(200)) if keyed else seeded(1))
    for i, level in enumerate(LEVELS.tolist()):
        check_moments(current[0, ..., i], *moments_of_clamped_normal(level, math.sqrt(variance)))
    if resample:
        product = (
            (current[0] - current[0].mean((0, 1, 2))) * (current[1] - current[1].mean((0, 1, 2)))
        ).mean((0, 1, 2))
        assert product.abs().max() < 5 * variance / math.sqrt(20_000)
    else:
        assert torch.equal(current[0], current[1])


@pytest.mark.parametrize("keyed", [False, True])
def test_poisson_has_mean_x_and_variance_x_times_one_minus_x(keyed: bool) -> None:
    image = LEVELS.reshape(1, 1, 1, -1).expand(100, 1, 100, -1)
    generator = rs.Streams(2, "score", range(100)) if keyed else seeded(2)
    current = Poisson().encode(image, 4, generator=generator)
    assert set(current.unique().tolist()) == {0.0, 1.0}
    for i, level in enumerate(LEVELS.tolist()):
        check_moments(current[..., i], level, level * (1 - level))


def test_direct_repeats_the_image() -> None:
    image = torch.rand(2, 3, 4, 4)
    assert torch.equal(Direct().encode(image, 3), image.expand(3, 2, 3, 4, 4))


@pytest.mark.parametrize("resample", [False, True])
def test_rsc_gradient_is_one_where_nothing_was_clamped(resample: bool) -> None:
    coding = RandomizedSmoothing(variance=0.1, resample_each_step=resample)
    image = torch.rand(3, 1, 16, 16, generator=seeded(0)).requires_grad_()
    current = coding.encode(image, 4, generator=seeded(1))
    weight = torch.rand(current.shape, generator=seeded(2))
    (gradient,) = torch.autograd.grad((current * weight).sum(), image)
    is_inside = (current > 0) & (current < 1)
    assert 0.5 < float(is_inside.float().mean()) < 0.95
    torch.testing.assert_close(gradient, (weight * is_inside).sum(0))


def test_poisson_gradient_is_straight_through() -> None:
    image = torch.rand(3, 1, 8, 8, generator=seeded(0)).requires_grad_()
    current = Poisson().encode(image, 4, generator=seeded(1))
    weight = torch.rand(current.shape, generator=seeded(2))
    (gradient,) = torch.autograd.grad((current * weight).sum(), image)
    torch.testing.assert_close(gradient, weight.sum(0))


def test_direct_gradient_is_the_sum_over_steps() -> None:
    image = torch.rand(2, 1, 4, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(Direct().encode(image, 5).sum(), image)
    assert torch.equal(gradient, torch.full_like(image, 5.0))


def test_a_standard_deviation_is_not_a_variance() -> None:
    assert RandomizedSmoothing.from_std(0.1) == RandomizedSmoothing(variance=0.01)
    assert RandomizedSmoothing.from_std(0.5, resample_each_step=True) == RandomizedSmoothing(
        variance=0.25, resample_each_step=True
    )


@pytest.mark.parametrize("variance", [-0.1, math.nan, math.inf])
def test_impossible_noise_is_refused(variance: float) -> None:
    with pytest.raises(RangeError, match="variance must be finite and >= 0"):
        RandomizedSmoothing(variance=variance)
    with pytest.raises(RangeError, match="std must be finite and >= 0"):
        RandomizedSmoothing.from_std(variance)
