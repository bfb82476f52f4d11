"""Each surrogate against its stated formula, and the area below it."""

import math

import pytest
import torch

from rsc_snn import neurons
from rsc_snn.errors import RangeError
from rsc_snn.neurons import AbstractSurrogate, Arctan, Rectangle, Sigmoid, Triangle
from rsc_snn.registry import examples
from tests.helpers import seeded

EXAMPLES = examples(neurons.__name__, neurons.__path__, AbstractSurrogate)


@pytest.mark.parametrize(
    ("surrogate", "points"),
    [
        (Triangle(), {0: 1.0, 0.25: 0.75, -0.25: 0.75, 1: 0.0, -3: 0.0}),
        (Triangle(width=2.0), {0: 0.5, 1: 0.25, -2: 0.0}),
        (Rectangle(), {0: 1.0, 0.49: 1.0, -0.49: 1.0, 0.5: 0.0, -0.6: 0.0}),
        (Rectangle(width=4.0), {1.9: 0.25, -1.9: 0.25, 2.0: 0.0}),
        (Arctan(), {0: 1.0, 1: 1 / (1 + math.pi**2), -0.5: 1 / (1 + math.pi**2 / 4)}),
        (Arctan(alpha=4.0), {0: 2.0, 0.5: 2 / (1 + math.pi**2)}),
        (Sigmoid(), {0: 1.0, 1: 4 * math.exp(-4) / (1 + math.exp(-4)) ** 2}),
        (Sigmoid(alpha=2.0), {0: 0.5, -1: 2 * math.exp(-2) / (1 + math.exp(-2)) ** 2}),
    ],
    ids=repr,
)
def test_derivative_has_its_stated_values(surrogate: AbstractSurrogate, points: dict[float, float]) -> None:
    u = torch.tensor(list(points), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(surrogate(u).sum(), u)
    assert gradient.tolist() == pytest.approx(list(points.values()), abs=1e-12)
    assert surrogate.derivative(u.detach()).tolist() == pytest.approx(list(points.values()), abs=1e-12)


@pytest.mark.parametrize("surrogate", EXAMPLES, ids=repr)
def test_derivative_integrates_to_one(surrogate: AbstractSurrogate) -> None:
    reach, num = 2000.0, 4_000_001
    u = torch.linspace(-reach, reach, num, dtype=torch.float64)
    area = torch.trapezoid(surrogate.derivative(u), u)
    tail = 2 / (math.pi**2 * reach * 1.0)  # what the arctangent has beyond the range, alpha >= 1
    assert float(area) == pytest.approx(1.0, abs=2 * tail + 1e-3)


@pytest.mark.parametrize("surrogate", EXAMPLES, ids=repr)
def test_the_step_fires_at_the_threshold(surrogate: AbstractSurrogate) -> None:
    assert surrogate(torch.tensor([-1e-9, 0.0, 1e-9])).tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("surrogate", EXAMPLES, ids=repr)
def test_gradient_keeps_dtype_and_scales(surrogate: AbstractSurrogate) -> None:
    u = torch.randn(40, generator=seeded(0)).requires_grad_()
    weight = torch.randn(40, generator=seeded(1))
    (gradient,) = torch.autograd.grad((surrogate(u) * weight).sum(), u)
    assert gradient.dtype == torch.float32
    torch.testing.assert_close(gradient, weight * surrogate.derivative(u.detach()))


@pytest.mark.parametrize("kind", [Triangle, Rectangle])
def test_a_width_must_be_positive(kind: type[Triangle | Rectangle]) -> None:
    with pytest.raises(RangeError, match="width must be finite and > 0, got 0"):
        kind(width=0.0)


@pytest.mark.parametrize("kind", [Arctan, Sigmoid])
def test_a_sharpness_must_be_positive(kind: type[Arctan | Sigmoid]) -> None:
    with pytest.raises(RangeError, match="alpha must be finite and > 0"):
        kind(alpha=-1.0)
