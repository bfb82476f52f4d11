"""Which part of a picture is shown, against hand calculations and the distribution in closed form."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rsc_snn.data.views import View, centre_view, random_view, shifted_view
from tests.helpers import seeded

NUM = 20_000
SIDE = 10**6  # edges are whole pixels, which such a picture does not notice
SMALLEST = 0.08
LOG = math.log(4 / 3)


def distance_from_uniform(values: NDArray[np.float64], low: float, high: float) -> float:
    """Kolmogorov's statistic times the root of n; it exceeds 2.2 once in 8,000 times."""
    share = (np.sort(values) - low) / (high - low)
    n = len(values)
    ranks = np.arange(n)
    return float(max((share - ranks / n).max(), ((ranks + 1) / n - share).max()) * math.sqrt(n))


@pytest.fixture(scope="module")
def views() -> list[View]:
    rows = torch.rand(NUM, 23, generator=seeded(0), dtype=torch.float64).tolist()
    return [random_view(SIDE, SIDE, row, smallest_area=SMALLEST, flip=True) for row in rows]


def test_areas_and_shapes_are_uniform_where_none_is_rejected(views: list[View]) -> None:
    """A square picture holds every shape of an area up to 3/4; larger ones if |log shape| <= -log area."""
    areas = np.array([view.width * view.height for view in views]) / SIDE**2
    shapes = np.log([view.width / view.height for view in views])
    fits = areas <= 0.75
    assert distance_from_uniform(areas[fits], SMALLEST, 0.75) < 2.2
    assert distance_from_uniform(shapes[fits], -LOG, LOG) < 2.2
    expected = (0.75 - SMALLEST) / (0.25 / LOG - SMALLEST)  # mass below 3/4 over all mass that fits
    assert abs(fits.mean() - expected) < 5 * math.sqrt(expected * (1 - expected) / NUM)
    assert np.all(np.abs(shapes) <= -np.log(areas) + 1e-5)


def test_positions_are_uniform_and_half_are_mirrored(views: list[View]) -> None:
    left = np.array([view.left / (SIDE - view.width) for view in views])
    top = np.array([view.top / (SIDE - view.height) for view in views])
    assert distance_from_uniform(left, 0, 1) < 2.2
    assert distance_from_uniform(top, 0, 1) < 2.2
    assert abs(np.corrcoef(left, top)[0, 1]) < 5 / math.sqrt(NUM)
    num_mirrored = sum(view.is_mirrored for view in views)
    assert abs(num_mirrored - NUM / 2) < 5 * math.sqrt(NUM / 4)


def test_a_random_view_by_hand() -> None:
    numbers = [0.99, 0.99, 0.5, 0.5] + [0.0] * 16 + [0.25, 0.999, 0.4]
    # The first pair does not fit. The second: 0.08 + 0.5 * 0.92 = 0.54 of 100 x 100, a square of 73.48.
    assert random_view(100, 100, numbers, smallest_area=0.08, flip=True) == View(7, 27, 80, 100, True)
    assert not random_view(100, 100, numbers, smallest_area=0.08, flip=False).is_mirrored


def test_a_view_is_never_outside_or_empty() -> None:
    rows = torch.rand(300, 23, generator=seeded(1)).tolist()
    for width, height in ((1, 1), (2, 1), (3, 1000), (1000, 3), (17, 13), (500, 375)):
        for row in rows:
            view = random_view(width, height, row, smallest_area=0.08, flip=True)
            assert 0 <= view.left < view.right <= width
            assert 0 <= view.top < view.bottom <= height


def test_what_never_fits_is_shown_from_the_middle() -> None:
    row = [0.999, 0.5] * 10 + [0.0, 0.0, 0.9]
    assert random_view(1000, 30, row, smallest_area=0.5, flip=True) == View(480, 0, 520, 30)
    assert random_view(30, 1000, row, smallest_area=0.5, flip=True) == View(0, 480, 30, 520)


def test_the_middle_by_hand() -> None:
    # 500 x 375 becomes 341 x 256; 224 columns from (341 - 224) // 2 = 58, 224 rows from 16.
    view = centre_view(500, 375, resized=256, shown=224)
    assert view.left == pytest.approx(58 * 500 / 341)
    assert view.right == pytest.approx(282 * 500 / 341)
    assert view.top == pytest.approx(16 * 375 / 256)
    assert view.bottom == pytest.approx(240 * 375 / 256)
    assert centre_view(20, 30, resized=20, shown=20) == View(0, 5, 20, 25)


def test_a_shifted_view_by_hand() -> None:
    assert shifted_view(64, 64, [0.0, 0.999, 0.5], padding=4, flip=True) == View(4, -4, 68, 60)
    assert shifted_view(64, 64, [0.5, 0.5, 0.49], padding=4, flip=True) == View(0, 0, 64, 64, True)
    assert shifted_view(64, 64, [0.5, 0.5, 0.49], padding=4, flip=False) == View(0, 0, 64, 64)
