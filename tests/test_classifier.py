"""The classifier: stateless, checked, and normalised after the noise."""

import math

import pytest
import torch
from torch import nn

import rsc_snn as rs
from rsc_snn.errors import DTypeError, RangeError, ShapeError
from tests.helpers import Linear, seeded, small_classifier


class Echo(nn.Module):
    """Shows what the network is given: the mean of each channel's current as logits."""

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        return current.mean((3, 4))


def test_logits_are_the_mean_over_time() -> None:
    classifier = small_classifier(rs.codings.Poisson(), num_steps=3)
    images = torch.rand(4, 1, 8, 8, generator=seeded(0))
    over_time = classifier.logits_over_time(images, rs.Streams(0, "score", range(4)))
    logits = classifier.logits(images, rs.Streams(0, "score", range(4)))
    assert over_time.shape == (3, 4, 10)
    torch.testing.assert_close(logits, over_time.mean(0))


def test_normalisation_follows_the_noise() -> None:
    """Variance 0.01 in pixels is a spread of 0.1 / std in what the network sees."""
    coding = rs.codings.RandomizedSmoothing(variance=0.01)
    classifier = rs.SpikingClassifier(Echo(), coding, 1, mean=(0.5,) * 3, std=(0.2,) * 3)
    logits = classifier.logits(torch.full((4000, 3, 1, 1), 0.5), seeded(0))
    spread = float(logits.std())
    assert spread == pytest.approx(0.1 / 0.2, rel=5 / math.sqrt(2 * logits.numel()))


def test_the_same_draw_gives_the_same_answer_and_nothing_is_kept() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    images = torch.rand(4, 1, 8, 8, generator=seeded(0))
    state = {name: value.clone() for name, value in classifier.state_dict().items()}
    first = classifier.logits(images, rs.Streams(0, "score", range(4)))
    classifier.logits(images[:1], seeded(1))
    assert torch.equal(classifier.logits(images, rs.Streams(0, "score", range(4))), first)
    assert all(torch.equal(value, state[name]) for name, value in classifier.state_dict().items())


def test_a_call_uses_the_default_generator() -> None:
    classifier = small_classifier(rs.codings.Poisson())
    images = torch.rand(4, 1, 8, 8, generator=seeded(0))
    assert not torch.equal(classifier(images), classifier(images))


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), DTypeError, "divide 8-bit images by 255"),
        (torch.zeros(1, 8, 8), ShapeError, r"\[B, C, H, W\], got \[1, 8, 8\]; add a batch axis"),
        (torch.zeros(0, 1, 8, 8), ShapeError, "at least one image"),
        (torch.full((1, 1, 8, 8), 255.0), RangeError, r"lie in \[0, 1\], got \[255, 255\]"),
        (torch.full((1, 1, 8, 8), -0.5), RangeError, "leave normalisation to the classifier"),
        (torch.full((1, 1, 8, 8), math.nan), RangeError, "got NaN"),
        (torch.zeros(1, 3, 8, 8), ShapeError, r"must be \[B, 1, 8, 8\], got \[1, 3, 8, 8\]"),
        (torch.zeros(1, 1, 9, 9), ShapeError, "build the network with this image_shape"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.float64), DTypeError, r"images\.to\(torch\.float32\)"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_images_that_do_not_fit_are_refused(
    images: torch.Tensor, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        small_classifier()(images)


def test_one_nan_among_many_pixels_is_found() -> None:
    images = torch.rand(2, 1, 8, 8)
    images[1, 0, 3, 3] = math.nan
    with pytest.raises(RangeError, match="NaN"):
        small_classifier()(images)


def test_float64_works_throughout() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).double()
    images = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    assert classifier(images).dtype == torch.float64


def test_bad_settings_are_refused() -> None:
    network = Linear(torch.ones(1, 2, 2))
    with pytest.raises(RangeError, match="num_steps must be at least 1, got 0"):
        rs.SpikingClassifier(network, rs.codings.Direct(), 0)
    with pytest.raises(RangeError, match="std must be finite and > 0"):
        rs.SpikingClassifier(network, rs.codings.Direct(), 1, std=(0.0,))
    with pytest.raises(ShapeError, match="one number per channel"):
        rs.SpikingClassifier(network, rs.codings.Direct(), 1, mean=(0.1, 0.2))
    classifier = rs.SpikingClassifier(nn.Flatten(0), rs.codings.Direct(), 2)
    with pytest.raises(ShapeError, match=r"must return \[T, B, K\] = \[2, 3, K\]"):
        classifier(torch.zeros(3, 1, 2, 2))
