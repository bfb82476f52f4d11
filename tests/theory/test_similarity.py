"""Cosine similarities by hand, and those of codings beside their closed form."""

import math

import pytest
import torch
from scipy.stats import t as student

from rsc_snn.data import ImageSet
from rsc_snn.errors import RangeError
from rsc_snn.theory import similarity
from rsc_snn.theory.noises import NoNoise, PoissonNoise, SmoothingNoise
from rsc_snn.theory.similarity import (
    NUM_STEPS,
    Pair,
    all_pairs,
    between_neighbours,
    centred,
    cosine,
    mean_over_images,
    similarities,
    similarity_findings,
)
from tests.helpers import seeded

ROWS = torch.tensor


def image_set(num_images: int, *, low: int = 0, high: int = 256, side: int = 24) -> ImageSet:
    images = torch.randint(low, high, (num_images, 3, side, side), generator=seeded(0), dtype=torch.uint8)
    return ImageSet.of(images, torch.zeros(num_images, dtype=torch.int64), ("one",))


def test_cosines_by_hand() -> None:
    first = ROWS([[1.0, 0.0], [1.0, 2.0], [0.0, 0.0], [3.0, 4.0]])
    second = ROWS([[1.0, 1.0], [-2.0, 1.0], [1.0, 1.0], [-6.0, -8.0]])
    expected = ROWS([1 / math.sqrt(2), 0.0, 0.0, -1.0], dtype=torch.float64)
    torch.testing.assert_close(cosine(first, second), expected)


def test_centring_takes_each_images_own_mean() -> None:
    found = centred(ROWS([[1.0, 3.0], [10.0, 30.0]]))
    assert found.tolist() == [[-1.0, 1.0], [-10.0, 10.0]]
    bright, other = ROWS([[0.9, 1.0, 0.9]]), ROWS([[1.0, 0.9, 1.0]])
    assert float(cosine(bright, other)) > 0.99, "brightness alone makes images alike"
    assert float(cosine(centred(bright), centred(other))) == pytest.approx(-1.0)


def test_the_interval_is_students() -> None:
    values = [0.2, 0.4, 0.9, 0.5]
    found = mean_over_images(values)
    mean = torch.tensor(values, dtype=torch.float64)
    low, high = student.interval(0.95, 3, float(mean.mean()), float(mean.std()) / 2)
    assert found == pytest.approx((0.5, low, high))
    assert mean_over_images([1.0, 1.0]) == (1.0, 1.0, 1.0)
    with pytest.raises(RangeError, match="at least 2 values, got 1"):
        mean_over_images([0.5])


def test_smoothed_and_clean_image_have_the_approximate_closed_form() -> None:
    """Far from the edges: sqrt(V / (V + s^2)) centred, sqrt(Q / (Q + s^2)) uncentred; per pixel value."""
    images, variance = image_set(20, low=102, high=154), 0.001
    pixels = images.pixels().double().flatten(1)
    square, spread = pixels.square().mean(1), pixels.var(1, unbiased=False)
    ((plain, middle),) = similarities([Pair(SmoothingNoise(variance=variance), NoNoise(), 1)], images, seed=0)
    expected = (square / (square + variance)).sqrt().mean()
    assert torch.tensor(plain.same).mean() == pytest.approx(float(expected), abs=2e-4)
    expected = (spread / (spread + variance)).sqrt().mean()
    assert torch.tensor(middle.same).mean() == pytest.approx(float(expected), abs=0.01)


def test_every_pair_has_its_closed_form() -> None:
    pairs = all_pairs()
    for pair, kinds in zip(pairs, similarities(pairs, image_set(30), seed=1), strict=True):
        for found in kinds:
            measured, foreseen = (float(torch.tensor(v).mean()) for v in (found.same, found.foreseen))
            assert measured == pytest.approx(foreseen, abs=0.01), pair


def test_the_control_is_between_two_images_each_in_one_pair() -> None:
    images = image_set(5)
    ((found, _),) = similarities([Pair(NoNoise(), NoNoise(), 1)], images, seed=0)
    pixels = images.pixels().flatten(1)
    assert found.same == pytest.approx([1.0] * 5)
    assert found.other == pytest.approx(cosine(pixels[[0, 2]], pixels[[1, 3]]).tolist())


def test_the_control_takes_both_ways_round() -> None:
    """First coding of image 0 and second of image 1: cosine 1; the other way round: 0."""
    first, second = ROWS([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), ROWS([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert between_neighbours(first, second).tolist() == [0.5]
    assert between_neighbours(first[:1], second[:1]).tolist() == []


def lit(num_pixels: int, *, first: int) -> torch.Tensor:
    """An 8 x 8 image of that many white pixels from the pixel ``first`` on, around the edge."""
    flat = torch.zeros(64, dtype=torch.uint8)
    flat[(first + torch.arange(num_pixels)) % 64] = 255
    return flat.reshape(1, 8, 8)


def coverage(values: list[float], size: int, expected: float) -> float:
    """How often the interval of ``size`` values that follow each other holds what is expected."""
    found = [mean_over_images(values[i : i + size]) for i in range(0, len(values), size)]
    return sum(each.low <= expected <= each.high for each in found) / len(found)


def test_the_interval_of_the_control_covers_the_mean_over_two_random_images() -> None:
    """Images drawn from 12 with 4 to 64 white pixels: a bright one is like any other, a dark one like few.

    So two controls that share an image go together, and an interval of them as if they were independent
    covers too seldom.
    """
    kinds = torch.stack([lit(4 + 60 * k // 11, first=23 * k) for k in range(12)])
    flat = kinds.flatten(1).double()
    every = cosine(flat.repeat_interleave(12, 0), flat.repeat(12, 1))
    repeats, size = 1000, 80
    drawn = torch.randint(len(kinds), (repeats * size,), generator=seeded(5))
    images = ImageSet.of(kinds[drawn], torch.zeros(len(drawn), dtype=torch.int64), ("one",))
    ((found, _),) = similarities([Pair(NoNoise(), NoNoise(), 1)], images, seed=0)
    slack = 4 * (0.95 * 0.05 / repeats) ** 0.5
    share = coverage(found.other, len(found.other) // repeats, float(every.mean()))
    assert share == pytest.approx(0.95, abs=slack)
    pixels = images.pixels().flatten(1)
    overlapping = cosine(pixels, pixels.roll(-1, 0)).tolist()
    assert coverage(overlapping, size, float(every.mean())) < 0.95 - slack


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, images = [Pair(SmoothingNoise(variance=0.1), PoissonNoise(), 2)], image_set(7, side=8)
    whole = similarities(pairs, images, seed=0)
    monkeypatch.setattr(similarity, "_NUMBERS_AT_ONCE", 2 * 2 * 3 * 64)
    for before, after in zip(whole[0], similarities(pairs, images, seed=0)[0], strict=True):
        assert after.same == pytest.approx(before.same, abs=1e-12)
        assert after.other == pytest.approx(before.other, abs=1e-12)


def test_findings_name_every_pair_once() -> None:
    findings = similarity_findings("made up", image_set(4, side=8), seed=0)
    names = [finding.name for finding in findings]
    assert len(set(names)) == len(names) == 2 * (1 + 7 + 13)
    assert "similarity: made up: RSC 0.1 and Poisson: one step: centred" in names
    assert f"similarity: made up: RSC-II 0.01 and direct: mean over {NUM_STEPS} steps: uncentred" in names
    for finding in findings:
        value, (low, high) = finding.value, finding.details["interval"]
        assert value is not None
        assert low <= value <= high
        assert finding.verdict == "info"
