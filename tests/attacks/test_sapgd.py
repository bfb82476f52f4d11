"""SA-PGD against a calculation with plain numbers."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.attacks import L2, SAPGD, AbstractNorm, Linf, Margin, Victim
from rsc_snn.errors import RangeError
from rsc_snn.gradients import BPTT

HEIGHTS, PEAK = (1.0, 4.0, 0.5), (0.52, 0.45, 0.9)
EPS = 0.1


class Parabola(nn.Module):
    """Logits (0, s) with s = -sum of a_i (x_i - p_i)^2: the gradient of the margin is -2 a (x - p)."""

    def forward(self, images_BCHW: Tensor) -> Tensor:
        x = images_BCHW.flatten(1)
        score = -(torch.tensor(HEIGHTS, dtype=x.dtype) * (x - torch.tensor(PEAK, dtype=x.dtype)).square())
        return torch.stack([torch.zeros_like(score[:, 0]), score.sum(1)], 1)


def visited(norm: AbstractNorm, num_steps: int) -> list[list[float]]:
    """The points that SA-PGD asks about, from 0.5 everywhere."""
    points: list[list[float]] = []
    model = Parabola()
    model.register_forward_pre_hook(
        lambda module, inputs: (
            points.append(inputs[0].flatten().tolist()) if inputs[0].requires_grad else None
        )
    )
    images = torch.full((1, 1, 1, 3), 0.5, dtype=torch.float64)
    label = torch.tensor([0])
    seeing = torch.zeros_like(label)
    victim = Victim(rs.wrap(model), label, Margin(), BPTT(), rs.Streams(0, "attack", [0]), seeing)
    attack = SAPGD(eps=EPS, norm=norm, num_steps=num_steps, loss=Margin())
    with torch.no_grad():
        attack._climb_from(images, images, victim)
    return points


def gradient(x: list[float]) -> list[float]:
    return [-2 * a * (value - p) for a, value, p in zip(HEIGHTS, x, PEAK, strict=True)]


def test_steps_equal_the_formula() -> None:
    """Ten steps: eta is halved after steps 2, 3, 4, ..."""
    x, m, v, eta, expected = [0.5] * 3, [0.0] * 3, [0.0] * 3, EPS, []
    for step in range(1, 11):
        expected.append(x)
        g = gradient(x)
        mean = sum(abs(value) for value in g) / 3
        mean_square = sum(value**2 for value in g) / 3
        m = [0.5 * old + value / mean for old, value in zip(m, g, strict=True)]
        v = [0.8 * old + value**2 / mean_square for old, value in zip(v, g, strict=True)]
        move = [eta * a / (math.sqrt(b) + 1e-12) for a, b in zip(m, v, strict=True)]
        x = [value + min(max(change, -eta), eta) for value, change in zip(x, move, strict=True)]
        x = [min(max(value, 0.5 - EPS), 0.5 + EPS) for value in x]
        eta = eta / 2 if step >= 2 else eta
    found = visited(Linf(), 10)
    assert len(found) == 10
    for mine, other in zip(found, expected, strict=True):
        assert mine == pytest.approx(other, abs=1e-12)
    inner = [abs(b[i] - a[i]) for a, b in itertools.pairwise(found) for i in range(3)]
    assert len({round(size, 9) for size in inner}) > 8, "every step was clipped, and the test shows little"


def test_the_first_two_steps_by_hand() -> None:
    """g = (0.04, -0.4, 0.4): m = (1/7, -10/7, 10/7), sqrt(v) = (0.1, 1, 1) * sqrt(1/0.67).

    m / sqrt(v) = 1.169, so that every pixel moves by eta = 0.1, and x = (0.6, 0.4, 0.6).
    """
    assert visited(Linf(), 10)[1] == pytest.approx([0.6, 0.4, 0.6], abs=1e-12)


def test_in_l2_the_image_takes_the_place_of_a_pixel() -> None:
    """The first step has length eta; the second eta |0.5 d_1 + d_2| / sqrt(1.8), d of length 1."""
    found = visited(L2(), 10)
    first = gradient(found[0])
    d1 = [value / math.hypot(*first) for value in first]
    assert found[1] == pytest.approx([0.5 + EPS * value for value in d1], abs=1e-12)
    second = gradient(found[1])
    d2 = [value / math.hypot(*second) for value in second]
    change = [(0.5 * a + b) / math.sqrt(1.8) for a, b in zip(d1, d2, strict=True)]
    change = [value / max(1.0, math.hypot(*change)) for value in change]
    away = [EPS * (a + b) for a, b in zip(d1, change, strict=True)]
    shortened = [value * min(1.0, EPS / math.hypot(*away)) for value in away]
    assert found[2] == pytest.approx([0.5 + value for value in shortened], abs=1e-12)


@pytest.mark.usefixtures("unchecked")
def test_bad_settings_are_refused() -> None:
    with pytest.raises(RangeError, match="num_steps must be at least 1, got 0"):
        SAPGD(num_steps=0)
    with pytest.raises(RangeError, match="num_restarts must be at least 1, got 0"):
        SAPGD(num_restarts=0)
