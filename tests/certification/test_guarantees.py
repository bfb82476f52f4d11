"""What noise proves, against numerical integration and enumeration."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import rsc_snn as rs
from rsc_snn.errors import RangeError
from rsc_snn.guarantees import BernoulliSpikes, GaussianNoise, guarantee_of

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


@pytest.mark.parametrize("num_steps", [1, 2, 4, 8])
def test_noise_of_every_step_costs_the_root_of_their_number(num_steps: int) -> None:
    """A base that averages its steps sees noise of std / sqrt(T): any larger radius would be wrong for it."""
    coding = rs.codings.RandomizedSmoothing(variance=STD**2, resample_each_step=True)
    guarantee = coding.guarantee(num_steps, 1)
    assert guarantee is not None
    margin = 0.2
    chance = stats.norm.cdf(margin / (STD / math.sqrt(num_steps)))
    assert guarantee.radius(chance) == pytest.approx(margin)
    if num_steps > 1:
        assert GaussianNoise(std=STD).radius(chance) > 1.4 * margin, "without the root: past the boundary"


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
