"""What noise proves, against numerical integration and enumeration."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

import rsc_snn as rs
from rsc_snn.errors import RangeError
from rsc_snn.guarantees import BernoulliSpikes, GaussianNoise, guarantee_of

Values = NDArray[np.float64]
STD = 0.3
GRID = np.linspace(-6, 6, 1201)
WEIGHTS = stats.norm.pdf(GRID) / stats.norm.pdf(GRID).sum()


def chance_of_clamped(point: tuple[float, float], rule: float, tilt: float) -> float:
    """Probability that clamp(point + noise) lies above a curve, by a sum over a grid of noises."""
    first, second = (np.clip(x + STD * GRID, 0, 1) for x in point)
    above = first[:, None] + tilt * second[None, :] ** 2 > rule
    return float(WEIGHTS @ above @ WEIGHTS)


@pytest.mark.parametrize(
    ("point", "rule", "tilt"), [((0.9, 0.2), 0.6, 1.0), ((0.05, 0.97), 0.35, 0.5), ((0.5, 0.5), 0.1, -0.2)]
)
def test_the_clamp_is_a_part_of_the_base(point: tuple[float, float], rule: float, tilt: float) -> None:
    """No change within the radius takes the majority: 90 directions, at the radius and inside."""
    guarantee = rs.codings.RandomizedSmoothing(variance=STD**2).guarantee(4, 2)
    assert guarantee is not None
    assert guarantee.scale == pytest.approx(STD)
    chance = chance_of_clamped(point, rule, tilt)
    assert chance > 0.6
    radius = guarantee.radius(chance)
    for share, angle in itertools.product((0.5, 1.0), np.linspace(0, 2 * math.pi, 90, endpoint=False)):
        moved = (point[0] + share * radius * math.cos(angle), point[1] + share * radius * math.sin(angle))
        left = chance_of_clamped(moved, rule, tilt)
        assert left >= guarantee.under_attack(chance, share * radius) - 2e-3
        assert left >= 0.5 - 2e-3


def test_a_linear_base_reaches_the_bound() -> None:
    """P(x + noise > b) = Phi((x - b) / std): a change of r against it leaves just what is proven."""
    for chance, radius in itertools.product((0.6, 0.9, 0.999), (0.0, 0.1, 0.7)):
        margin = STD * stats.norm.ppf(chance)
        left = stats.norm.cdf((margin - radius) / STD)
        assert GaussianNoise(std=STD).under_attack(chance, radius) == pytest.approx(left, rel=1e-12)
        assert GaussianNoise(std=STD).radius(chance) == pytest.approx(margin, rel=1e-12)
        assert GaussianNoise(std=STD).chance_for(margin) == pytest.approx(chance, rel=1e-12)


# A noise at every step


def noisy(x: float, std: float, num_cells: int) -> Values:
    """Equally likely values of clamp(x + noise): the noise at the middle quantiles of so many cells."""
    noise = stats.norm.ppf((np.arange(num_cells) + 0.5) / num_cells)
    return np.asarray(np.clip(x + std * noise, 0, 1))


def chance_above(first: Values, second: Values, rule: float) -> float:
    """Probability that the sum of two independent parts lies above a rule, over all pairs of values."""
    below = np.searchsorted(np.sort(second), rule - np.sort(first), side="right")
    return 1 - float(below.mean()) / len(second)


def refined(chance: Callable[[int], float], num_cells: int, error: float) -> float:
    """Integrate with twice the cells; doubling them must change the result by less than the error."""
    found = chance(2 * num_cells)
    assert abs(found - chance(num_cells)) < error
    return found


def guarantee_of_every_step(num_steps: int, std: float, num_values: int) -> GaussianNoise:
    coding = rs.codings.RandomizedSmoothing(variance=std**2, resample_each_step=True)
    guarantee = coding.guarantee(num_steps, num_values)
    assert guarantee is not None
    return guarantee


@dataclass(frozen=True)
class OnePixel:
    """A base that sees both noisy, clamped values of a pixel: whether c1 + tilt * c2**power > rule."""

    x: float
    std: float
    rule: float
    tilt: float = 1.0
    power: int = 1

    ERROR: ClassVar[float] = 1e-4

    def chance(self, x: float) -> float:
        def integrated(num_cells: int) -> float:
            each = noisy(x, self.std, num_cells)
            return chance_above(each, self.tilt * each**self.power, self.rule)

        return refined(integrated, 20_000, self.ERROR)


AVERAGING = OnePixel(0.5, 0.05, 0.92)  # ten standard deviations from the clamp
CLAMPED = OnePixel(0.9, 0.3, 1.3)
CURVED_ABOVE = OnePixel(0.85, 0.3, 0.9, tilt=0.8, power=2)
CURVED_BELOW = OnePixel(0.2, 0.3, -0.2, tilt=-1.5, power=2)
SHARES = (-1.0, -0.75, -0.5, -0.1, 0.1, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("base", [AVERAGING, CLAMPED, CURVED_ABOVE, CURVED_BELOW])
def test_noise_of_every_step_keeps_its_promise_for_rules_over_both_steps(base: OnePixel) -> None:
    """What is left after a move within the radius, integrated over two noises, against what is proven."""
    guarantee = guarantee_of_every_step(2, base.std, 1)
    chance = base.chance(base.x)
    assert 0.6 < chance < 0.99
    radius = guarantee.radius(chance)
    for share in SHARES:
        left = base.chance(base.x + share * radius)
        assert left >= guarantee.under_attack(chance, abs(share) * radius) - 2 * base.ERROR
        assert left >= 0.5 - 2 * base.ERROR


def test_without_the_root_of_the_steps_the_radius_of_a_base_that_averages_is_wrong() -> None:
    """At the radius just half is left, past it less; at the radius for the noise of one step a third."""
    base = AVERAGING
    chance = base.chance(base.x)
    radius = guarantee_of_every_step(2, base.std, 1).radius(chance)
    assert base.chance(base.x - radius) == pytest.approx(0.5, abs=2 * base.ERROR)
    assert base.chance(base.x - 1.02 * radius) < 0.5 - 50 * base.ERROR
    assert base.chance(base.x - GaussianNoise(std=base.std).radius(chance)) < 0.35


@dataclass(frozen=True)
class TwoPixels:
    """A base that sees both noisy, clamped values of two pixels: a part for each step, and their sum."""

    point: tuple[float, float]
    std: float
    rule: float
    first: Callable[[Values, Values], Values]
    second: Callable[[Values, Values], Values]

    ERROR: ClassVar[float] = 2e-3

    def chance(self, point: tuple[float, float]) -> float:
        def integrated(num_cells: int) -> float:
            one, other = noisy(point[0], self.std, num_cells)[:, None], noisy(point[1], self.std, num_cells)
            return chance_above(self.first(one, other).ravel(), self.second(one, other).ravel(), self.rule)

        return refined(integrated, 200, self.ERROR)

    def moved(self, distance: float, angle: float) -> float:
        one, other = self.point
        return self.chance((one + distance * math.cos(angle), other + distance * math.sin(angle)))


SLOPED = TwoPixels((0.5, 0.55), 0.05, 1.46, lambda a, b: a + 0.5 * b, lambda a, b: a + 0.5 * b)
MIXED = TwoPixels((0.9, 0.15), 0.3, 1.03, lambda a, b: a + b**2, lambda a, b: np.maximum(a, b) - a * b)


@pytest.mark.parametrize("base", [SLOPED, MIXED])
def test_noise_of_every_step_keeps_its_promise_for_two_pixels(base: TwoPixels) -> None:
    """Integrated over four noises: 16 directions, at the radius and inside; the norm is l_2."""
    guarantee = guarantee_of_every_step(2, base.std, 2)
    chance = base.chance(base.point)
    assert 0.6 < chance < 0.99
    radius = guarantee.radius(chance)
    for share, angle in itertools.product((0.5, 1.0), np.linspace(0, 2 * math.pi, 16, endpoint=False)):
        left = base.moved(share * radius, angle)
        assert left >= guarantee.under_attack(chance, share * radius) - 2 * base.ERROR
        assert left >= 0.5 - 2 * base.ERROR


def test_without_the_root_of_the_steps_the_radius_for_two_pixels_is_wrong() -> None:
    """Straight against the slope, at the radius for the noise of one step."""
    chance, against = SLOPED.chance(SLOPED.point), math.pi + math.atan(0.5)
    radius = guarantee_of_every_step(2, SLOPED.std, 2).radius(chance)
    assert SLOPED.moved(radius, against) == pytest.approx(0.5, abs=2 * SLOPED.ERROR)
    assert SLOPED.moved(GaussianNoise(std=SLOPED.std).radius(chance), against) < 0.35


@pytest.mark.parametrize(("resample", "num_steps"), [(False, 4), (True, 1), (True, 2), (True, 4), (True, 8)])
def test_the_mean_of_the_steps_has_the_variance_of_the_guarantee(resample: bool, num_steps: int) -> None:
    """Encoded pixels, ten standard deviations from the clamp, against v / T (RSC-II) and v (RSC-I)."""
    variance, num_samples = 0.0025, 40_000
    coding = rs.codings.RandomizedSmoothing(variance=variance, resample_each_step=resample)
    images = torch.full((num_samples // 8, 1, 2, 4), 0.5, dtype=torch.float64)
    streams = rs.Streams(0, "estimate", range(len(images)))
    current = coding.encode(images, num_steps, generator=streams)
    assert 0 < float(current.min()) <= float(current.max()) < 1, "the clamp does not bite"
    expected = variance / num_steps if resample else variance
    found = float(current.mean(0).var())
    assert found == pytest.approx(expected, rel=5 * math.sqrt(2 / (num_samples - 1)))
    guarantee = coding.guarantee(num_steps, 8)
    assert guarantee is not None
    assert guarantee.std**2 == pytest.approx(expected, rel=1e-12)


# Spikes


@pytest.mark.parametrize("num_steps", [1, 2])
def test_poissons_radius_holds_for_every_base_and_fails_without_the_factor(num_steps: int) -> None:
    """All functions of the spikes of one pixel, by enumeration."""
    guarantee = rs.codings.Poisson().guarantee(num_steps, 1)
    spikes = np.array(list(itertools.product((0, 1), repeat=num_steps)))
    broken = False
    for answers in itertools.product((0, 1), repeat=len(spikes)):
        for x in np.linspace(0.05, 0.95, 19):
            chance = _chance(spikes, answers, x)
            if chance <= 0.5:
                continue
            radius = guarantee.radius(chance)
            for share, sign in itertools.product((0.3, 0.6, 1.0), (-1, 1)):
                moved = x + sign * share * radius
                if 0 <= moved <= 1:
                    left = _chance(spikes, answers, moved)
                    assert left >= guarantee.under_attack(chance, share * radius) - 1e-12
                    assert left >= 0.5 - 1e-12
            wrong = x - (chance - 0.5)
            broken |= num_steps > 1 and wrong >= 0 and _chance(spikes, answers, wrong) < 0.5 - 1e-9
    assert broken == (num_steps > 1)


def _chance(spikes: np.ndarray, answers: tuple[int, ...], x: float) -> float:
    each = np.where(spikes == 1, x, 1 - x).prod(1)
    return float(each @ np.array(answers))


def every_function_of_four_spikes() -> Values:
    """All 2**16 yes-or-no functions of the spikes of two pixels at two steps, without those that must agree.

    Outcomes with the same numbers of spikes of either pixel are equally likely: a function is told by how
    many of each kind it accepts, [functions, spikes of the first pixel, spikes of the second].
    """
    outcomes = np.array(list(itertools.product((0, 1), repeat=4)))
    kinds = 3 * outcomes[:, :2].sum(1) + outcomes[:, 2:].sum(1)
    answers = np.arange(2**16)[:, None] >> np.arange(16) & 1
    return np.unique(answers @ np.eye(9)[kinds], axis=0).reshape(-1, 3, 3)


def chances_of(functions: Values, points: Values) -> Values:
    """Probability that each function accepts, at its own point: [functions] from [functions, 2]."""
    fired = np.arange(3)
    each = points[..., None] ** fired * (1 - points[..., None]) ** (2 - fired)
    return np.asarray(np.einsum("fij,fi,fj->f", functions, each[:, 0], each[:, 1]))


DIRECTIONS = ((1, 0), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1), (0.3, 0.7), (-0.8, 0.2))


def largest_shortfall(point: tuple[float, float], order: float) -> float:
    """How far a function with a majority falls below what is proven, and 1/2, moved by its radius."""
    guarantee = rs.codings.Poisson().guarantee(2, 2)
    functions = every_function_of_four_spikes()
    before = chances_of(functions, np.tile(point, (len(functions), 1)))
    has_majority = before > 0.5 + 1e-9
    functions, before = functions[has_majority], before[has_majority]
    radii = np.array([guarantee.radius(float(chance)) for chance in before])
    found = []
    for direction, share in itertools.product(DIRECTIONS, (0.5, 1.0)):
        unit = np.array(direction) / np.linalg.norm(direction, order)
        moved = point + share * radii[:, None] * unit
        inside = ((moved >= 0) & (moved <= 1)).all(1)
        pairs = zip(before[inside], share * radii[inside], strict=True)
        proven = [guarantee.under_attack(float(chance), float(size)) for chance, size in pairs]
        left = chances_of(functions[inside], moved[inside])
        found.append((np.maximum(proven, 0.5) - left).max(initial=-1.0))
    return float(max(found))


@pytest.mark.parametrize("point", [(0.01, 0.02), (0.5, 0.5), (0.3, 0.65), (0.05, 0.9), (0.98, 0.97)])
def test_poissons_radius_holds_for_every_base_of_two_pixels(point: tuple[float, float]) -> None:
    """Enumeration: what is left after a move against what is proven, the move measured in l_1."""
    assert len(every_function_of_four_spikes()) == 2**4 * 3**4 * 5
    assert largest_shortfall(point, 1) <= 1e-12


@pytest.mark.parametrize("order", [2, math.inf])
def test_poissons_radius_is_wrong_in_another_norm(order: float) -> None:
    """The same, the move measured in l_2 or l_inf: a base that fires without any spike breaks it."""
    assert largest_shortfall((0.01, 0.02), order) > 0.03


def test_poissons_radius_pays_for_the_grid_of_every_pixel_value() -> None:
    """(p - 1/2) / T - d * 2**-24, and what undoes it."""
    for num_steps, num_values in itertools.product((1, 4), (1, 3072)):
        guarantee = BernoulliSpikes(num_steps=num_steps, num_values=num_values)
        grid = num_values * 2.0**-24
        assert guarantee.radius(0.9) == pytest.approx(0.4 / num_steps - grid, rel=1e-14)
        assert guarantee.radius(0.5 + 0.99 * num_steps * grid) == 0.0
        assert guarantee.radius(guarantee.chance_for(0.1)) == pytest.approx(0.1, rel=1e-12)
        assert guarantee.under_attack(0.9, 0.05) == pytest.approx(0.9 - num_steps * (0.05 + grid), rel=1e-14)


def numbers_of_the_grid(image: Tensor, num_steps: int, generator: object) -> Tensor:
    """In place of random numbers: all of them, k / 2**24, each once."""
    return (torch.arange(num_steps, dtype=torch.float32) * 2.0**-24).reshape(-1, 1, 1, 1, 1)


def cells_that_fire(pixel: float) -> int:
    """In how many of the 2**24 cells the coding fires, when it is given all of them as steps."""
    image = torch.full((1, 1, 1, 1), pixel)
    return int(rs.codings.Poisson().encode(image, 2**24).count_nonzero())


def test_a_vanishing_change_of_a_pixel_can_gain_a_cell_of_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact chances of a base that answers if neither of two pixels fires, against (p - 1/2) / T.

    The pixels 1/2 - 2**-24 and 0 move by 2**-25 and 1e-12, which is below p - 1/2 = 2**-24 in l_1; both
    gain a cell, and the majority is lost. The share of the grid makes the radius 0.
    """
    monkeypatch.setattr("rsc_snn.codings.poisson.uniform_like", numbers_of_the_grid)
    half, cell = 2**23, 2.0**-24
    assert [cells_that_fire(pixel) for pixel in (0.0, 1e-12, 1.0)] == [0, 1, 2**24]
    assert [cells_that_fire(pixel) for pixel in (0.5 - cell, 0.5 - cell / 2, 0.5)] == [half - 1, half, half]
    before, after = (1 - (half - 1) * cell) * 1.0, (1 - half * cell) * (1 - cell)
    assert after < 0.5 < before
    assert cell / 2 + 1e-12 < before - 0.5
    assert rs.codings.Poisson().guarantee(1, 2).radius(before) == 0.0


def test_uniform_numbers_lie_on_the_grid() -> None:
    """Those that certificates draw from, against whole multiples of 2**-24; odd ones are among them."""
    streams = rs.Streams(0, "estimate", range(100))
    numbers = streams.uniform((1, 8, 8), num_steps=2, device=torch.device("cpu")).double() * 2**24
    assert torch.equal(numbers, numbers.round())
    assert bool((numbers % 2 == 1).any())


def test_no_majority_no_radius() -> None:
    for guarantee in (GaussianNoise(std=1.0), BernoulliSpikes(num_steps=4, num_values=3)):
        assert guarantee.radius(0.5) == guarantee.radius(0.2) == 0.0
        assert guarantee.under_attack(0.7, 0.0) == pytest.approx(0.7)
        assert guarantee_of(guarantee.norm, guarantee.scale, 3) == guarantee
    assert BernoulliSpikes(num_steps=4, num_values=3).under_attack(0.7, 1.0) == 0.0
    with pytest.raises(RangeError):
        GaussianNoise(std=0.0)
    assert rs.codings.Direct().guarantee(4, 2) is None
    assert rs.codings.RandomizedSmoothing(variance=0.0).guarantee(4, 2) is None
