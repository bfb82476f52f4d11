"""Every path of one pass against a time loop of its own, on two layers of two neurons."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import CE
from rsc_snn.errors import RangeError
from rsc_snn.gradients import (
    AbstractGradient,
    PotentialDependent,
    RateGradient,
    RateStraightThrough,
    Surrogate,
    TimeAverage,
)
from rsc_snn.gradients.derivatives import differentiated, spikes
from rsc_snn.neurons import LIF, AbstractSurrogate, Arctan, Rectangle, Sigmoid, Triangle
from tests.gradients import toys
from tests.gradients.toys import (
    DECAY,
    NUM_STEPS,
    THRESHOLD,
    gradient_by_hand,
    spikes_by_hand,
    time_loop,
    toy,
    toy_batch,
)
from tests.helpers import seeded


def gradient_of(path: AbstractGradient) -> Tensor:
    images, labels = toy_batch()
    streams = rs.Streams(0, "attack", range(4))
    return path.loss_and_gradient(toy(), images, labels, loss=CE(), generator=streams)[1]


def triangle(u: Tensor, width: float) -> Tensor:
    u = u.clamp(-width, width)
    return (width * u - u * u.abs() / 2) / width**2


def test_the_toy_fires_and_is_silent() -> None:
    """Else the comparisons below would compare zeros."""
    images, _ = toy_batch()
    first = spikes_by_hand(images.expand(NUM_STEPS, *images.shape).flatten(2) @ toys.FIRST.T)
    second = spikes_by_hand(first @ toys.SECOND.T)
    assert 0 < float(first.mean()) < 1
    assert 0 < float(second.mean()) < 1
    assert not bool(second.any(0).all()), "some neuron never fires"


@pytest.mark.parametrize(
    ("surrogate", "integral"),
    [
        (Triangle(width=2.0), lambda u: triangle(u, 2.0)),
        (Rectangle(width=1.5), lambda u: u.clamp(-0.75, 0.75) / 1.5),
        (Arctan(alpha=1.5), lambda u: torch.atan(math.pi / 2 * 1.5 * u) / math.pi),
        (Sigmoid(alpha=2.0), lambda u: torch.sigmoid(2.0 * u)),
    ],
    ids=["triangle", "rectangle", "arctan", "sigmoid"],
)
def test_another_surrogate(surrogate: AbstractSurrogate, integral: Callable[[Tensor], Tensor]) -> None:
    expected = gradient_by_hand(*toy_batch(), time_loop(lambda u, layer, step: integral(u)))
    torch.testing.assert_close(gradient_of(Surrogate(surrogate=surrogate)), expected)
    assert float(expected.abs().max()) > 0


@pytest.mark.parametrize("width", [0.4, 1.0])
def test_time_average(width: float) -> None:
    """Identity forward, each step gets the mean of the gradients of all steps; membranes are detached."""
    loop = time_loop(lambda u, layer, step: triangle(u, width), detach_membrane=True)

    def layer(current_TBN: Tensor, number: int) -> Tensor:
        mean = current_TBN.mean(0)
        return loop(current_TBN.detach() + mean - mean.detach(), number)

    expected = gradient_by_hand(*toy_batch(), layer)
    torch.testing.assert_close(gradient_of(TimeAverage(width=width)), expected)
    assert float(expected.abs().max()) > 0


def rate_slope(mean: Tensor, gamma: float) -> Tensor:
    """The three cases of the source, one number at a time, for a threshold."""
    slopes = []
    for x in (mean / THRESHOLD).flatten().tolist():
        if 0 <= x <= 1 - DECAY:
            slopes.append(gamma)
        elif 1 - DECAY < x <= 2:
            slopes.append((1 - gamma + gamma * DECAY) / (DECAY + 1))
        else:
            slopes.append(0.0)
    return torch.tensor(slopes, dtype=torch.float64).reshape(mean.shape) / THRESHOLD


@pytest.mark.parametrize("gamma", [0.2, 0.5])
def test_rate_gradient(gamma: float) -> None:
    seen: set[float] = set()

    def layer(current_TBN: Tensor, number: int) -> Tensor:
        slope = rate_slope(current_TBN.detach().mean(0), gamma)
        seen.update(slope.flatten().tolist())
        return spikes_by_hand(current_TBN) + slope * (current_TBN - current_TBN.detach())

    expected = gradient_by_hand(*toy_batch(), layer)
    torch.testing.assert_close(gradient_of(RateGradient(gamma=gamma)), expected)
    assert len(seen) >= 2, "the toy visits several cases"


@pytest.mark.parametrize(
    ("mean", "slope"),
    [(-0.1, 0.0), (0.0, 0.2), (0.3, 0.2), (0.31, 0.94 / 1.7), (2.0, 0.94 / 1.7), (2.1, 0.0)],
)
def test_all_cases_of_the_rate(mean: float, slope: float) -> None:
    """Decay 0.7, threshold 1: 1 - 0.2 + 0.2 * 0.7 = 0.94."""
    current = torch.full((3, 1), mean, dtype=torch.float64, requires_grad=True)
    neuron = LIF(decay=0.7)
    RateGradient()._drive(neuron, current).sum().backward()
    assert current.grad is not None
    torch.testing.assert_close(current.grad, torch.full_like(current, slope).detach(), atol=1e-12, rtol=1e-12)


def test_rate_straight_through() -> None:
    def layer(current_TBN: Tensor, number: int) -> Tensor:
        fired = spikes_by_hand(current_TBN)
        return fired + (fired.sum(0) > 0) * (current_TBN - current_TBN.detach())

    expected = gradient_by_hand(*toy_batch(), layer)
    torch.testing.assert_close(gradient_of(RateStraightThrough()), expected)
    assert float(expected.abs().max()) > 0


def test_potential_dependent() -> None:
    """Two neurons without space: sigma over the steps so far of each; 1 at the first step."""
    past: dict[int, list[Tensor]] = {0: [], 1: []}

    def phi(u: Tensor, layer: int, step: int) -> Tensor:
        past[layer].append(u.detach())
        sigma = torch.stack(past[layer]).std(0) if step else torch.ones_like(u)
        sigma = torch.where(sigma == 0, 1.0, sigma)
        integral: Tensor = torch.special.ndtr((u - sigma / 2) / sigma)
        return integral

    expected = gradient_by_hand(*toy_batch(), time_loop(phi))
    torch.testing.assert_close(gradient_of(PotentialDependent()), expected)
    assert float(expected.abs().max()) > 0


def test_the_spread_is_per_image_and_channel_over_space_and_steps() -> None:
    from rsc_snn.gradients.potential_dependent import _Spread

    values = 100 + torch.randn(3, 2, 4, 5, 6, generator=seeded(0), dtype=torch.float64)
    values[:, 1, 3] = 7.0  # no spread: sigma is 1
    spread = _Spread()
    for step in range(3):
        sigma = spread.after(values[step])
        by_hand = values[: step + 1].permute(1, 2, 0, 3, 4).flatten(2).std(-1)
        by_hand[1, 3] = 1.0
        torch.testing.assert_close(sigma, by_hand[..., None, None])


def test_a_single_number_and_equal_numbers_have_sigma_one() -> None:
    from rsc_snn.gradients.potential_dependent import _Spread

    spread = _Spread()
    for _ in range(2):
        assert spread.after(torch.full((1, 2), 0.3)).tolist() == [[1.0, 1.0]]


def test_a_given_derivative_is_the_one_that_is_used() -> None:
    u = torch.tensor([-1.0, 0.0, 0.5], dtype=torch.float64, requires_grad=True)
    fired = spikes(u, torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64))
    assert fired.tolist() == [0.0, 1.0, 1.0]
    (fired * torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)).sum().backward()
    assert u.grad is not None
    assert u.grad.tolist() == [2.0, 30.0, 500.0]
    cubed = differentiated(u, lambda x: x**3, 3 * u.detach() ** 2)
    assert torch.autograd.gradcheck(lambda x: differentiated(x, lambda y: y**3, 3 * x.detach() ** 2), [u])
    assert cubed.tolist() == [-1.0, 0.0, 0.125]


def test_bad_settings_are_named() -> None:
    with pytest.raises(RangeError, match="width must be finite and > 0, got 0"):
        TimeAverage(width=0.0)
    with pytest.raises(RangeError, match=r"gamma must lie in \[0, 1\], got 1.5"):
        RateGradient(gamma=1.5)
