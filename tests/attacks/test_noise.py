"""Random points against their distributions."""

import math

import pytest
import torch

import rsc_snn as rs
from rsc_snn.attacks import L2, AbstractNorm, GaussianNoise, Linf, UniformNoise
from rsc_snn.errors import RangeError
from tests.helpers import Smooth, seeded

IMAGES = torch.full((4000, 1, 1, 3), 0.5, dtype=torch.float64)


@pytest.mark.parametrize("norm", [Linf(), L2()], ids=repr)
def test_gaussian_noise_has_norm_eps_and_a_direction_of_its_own(norm: AbstractNorm) -> None:
    noise = GaussianNoise(eps=0.2, norm=norm).sample(IMAGES, generator=seeded(0))
    torch.testing.assert_close(norm.size(noise), torch.full((4000,), 0.2, dtype=torch.float64))
    assert float(noise.mean((0, 1, 2)).abs().max()) < 5 * 0.2 / math.sqrt(4000)
    ratio = noise[:, 0, 0, 0] / noise[:, 0, 0, 1]  # of two normals: Cauchy, with |ratio| < 1 half of the time
    share = float((ratio.abs() < 1).double().mean())
    assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(4000)


@pytest.mark.parametrize("norm", [Linf(), L2()], ids=repr)
def test_uniform_noise_fills_the_ball(norm: AbstractNorm) -> None:
    """Half of the points lie within (1/2)^(1/3) of the radius, in three dimensions, in either norm."""
    noise = UniformNoise(eps=0.2, norm=norm).sample(IMAGES, generator=seeded(0))
    assert float(norm.size(noise).max()) <= 0.2 + 1e-12
    share = float((norm.size(noise) < 0.2 * 0.5 ** (1 / 3)).double().mean())
    assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(4000)


def test_a_zero_perturbation_cannot_be_stretched() -> None:
    zero = torch.zeros(1, 1, 2, 2)
    for norm in (Linf(), L2()):
        assert torch.equal(norm.stretched(zero, 0.5), zero)
        torch.testing.assert_close(norm.size(norm.stretched(zero + 1e-30, 0.5)), torch.tensor([0.5]))


@pytest.mark.parametrize("attack", [GaussianNoise(eps=0.1), UniformNoise(eps=0.1)], ids=repr)
def test_one_point_is_not_scored(attack: GaussianNoise | UniformNoise) -> None:
    calls: list[int] = []
    model = Smooth()
    model.register_forward_pre_hook(lambda module, inputs: calls.append(len(inputs[0])))
    images = torch.rand(2, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    found = attack(rs.wrap(model), images, torch.tensor([0, 1]))
    assert attack.cost.levels == 0
    assert calls == [2, 2, 2], "one look at the number of classes, with the checks of a first call"
    expected = attack.sample(images, generator=rs.Streams(0, "attack", range(2)))
    torch.testing.assert_close(found, (images + expected).clamp(0, 1))


@pytest.mark.usefixtures("unchecked")
def test_bad_settings_are_refused() -> None:
    with pytest.raises(RangeError, match="num_steps must be at least 1, got 0"):
        UniformNoise(num_steps=0)
    with pytest.raises(RangeError, match="num_steps must be at least 1, got -3"):
        GaussianNoise(num_steps=-3)
    with pytest.raises(RangeError, match="eps"):
        GaussianNoise(eps=8.0)
