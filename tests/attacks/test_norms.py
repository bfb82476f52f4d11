"""Norms against their definitions."""

import math

import pytest
import torch

from rsc_snn.attacks import L2, Linf
from tests.helpers import seeded


def test_sizes_are_those_of_torch() -> None:
    change = torch.randn(5, 3, 4, 4, generator=seeded(0), dtype=torch.float64)
    flat = change.flatten(1)
    torch.testing.assert_close(Linf().size(change), torch.linalg.vector_norm(flat, math.inf, dim=1))
    torch.testing.assert_close(L2().size(change), torch.linalg.vector_norm(flat, 2, dim=1))


@pytest.mark.parametrize("norm", [Linf(), L2()], ids=repr)
def test_projection_is_the_nearest_point(norm: Linf | L2) -> None:
    change = torch.randn(50, 1, 2, 2, generator=seeded(0), dtype=torch.float64)
    projected = norm.project(change, 0.7)
    assert float(norm.size(projected).max()) <= 0.7 + 1e-12
    is_inside = norm.size(change) <= 0.7
    assert torch.equal(projected[is_inside], change[is_inside])
    rivals = norm.project(torch.randn(50, 1, 2, 2, generator=seeded(1), dtype=torch.float64), 0.7)
    distance = (projected - change).flatten(1).norm(dim=1)
    assert bool(((rivals - change).flatten(1).norm(dim=1) >= distance - 1e-12).all())


@pytest.mark.parametrize("norm", [Linf(), L2()], ids=repr)
def test_steepest_beats_every_other_direction_of_norm_one(norm: Linf | L2) -> None:
    gradient = torch.randn(1, 1, 2, 2, generator=seeded(0), dtype=torch.float64)
    best = (norm.steepest(gradient) * gradient).sum()
    assert float(norm.size(norm.steepest(gradient))) == pytest.approx(1)
    rivals = torch.randn(1000, 1, 2, 2, generator=seeded(1), dtype=torch.float64)
    rivals = rivals / norm.size(rivals).reshape(-1, 1, 1, 1)
    assert float((rivals * gradient).sum((1, 2, 3)).max()) <= float(best) + 1e-12


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_the_euclidean_direction_survives_tiny_and_huge_gradients(scale: float) -> None:
    gradient = torch.tensor([3.0, 4.0]).reshape(1, 1, 1, 2) * scale
    torch.testing.assert_close(L2().steepest(gradient).flatten(), torch.tensor([0.6, 0.8]))


def test_a_zero_gradient_gives_no_direction() -> None:
    for norm in (Linf(), L2()):
        assert torch.equal(norm.steepest(torch.zeros(1, 1, 2, 2)), torch.zeros(1, 1, 2, 2))


def test_random_points_are_uniform_in_the_ball() -> None:
    """l_inf: uniform pixels; l_2 in d dimensions: the radius has distribution (r / eps)^d."""
    from scipy import stats

    image = torch.zeros(20_000, 1, 1, 3, dtype=torch.float64)
    pixels = Linf().random(image, 0.1, generator=seeded(0)).flatten().numpy()
    assert stats.kstest(pixels, stats.uniform(-0.1, 0.2).cdf).pvalue > 1e-4
    points = L2().random(image, 0.1, generator=seeded(1))
    radius = L2().size(points).numpy()
    assert stats.kstest((radius / 0.1) ** 3, "uniform").pvalue > 1e-4
    mean = points.flatten(1).mean(0).abs().max()
    assert float(mean) < 5 * 0.1 / math.sqrt(20_000)
