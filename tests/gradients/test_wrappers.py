"""Ensemble, straight-through clamp and expectation against what they say they compute."""

import math

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import CE
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError
from rsc_snn.gradients import (
    BPTT,
    AbstractGradient,
    AdaptiveSharpness,
    Ensemble,
    Expectation,
    Memory,
    StraightThroughClamp,
    Surrogate,
    TimeAverage,
)
from rsc_snn.neurons import Rectangle
from rsc_snn.registry import discover
from rsc_snn.spec import Spec
from tests.gradients.test_paths import triangle
from tests.gradients.toys import NOISY, NUM_STEPS, gradient_by_hand, loss_by_hand, time_loop, toy, toy_batch

CODINGS = [
    NOISY,
    rs.codings.RandomizedSmoothing(variance=0.3),
    rs.codings.RandomizedSmoothing(variance=0.3, resample_each_step=True),
]


def gradient_of(path: AbstractGradient, coding: AbstractCoding, *, memory: Memory | None = None) -> Tensor:
    images, labels = toy_batch()
    streams = rs.Streams(0, "attack", range(4))
    slope = path.slope(toy(coding), images, labels, loss=CE(), generator=streams, memory=memory or Memory())
    return slope.gradient


@pytest.mark.parametrize("coding", CODINGS, ids=repr)
def test_the_clamp_is_the_identity(coding: rs.codings.RandomizedSmoothing) -> None:
    """By hand: the noise is added and cut off, but differentiated as image + constant."""
    images, labels = toy_batch()
    current = coding.encode(images, NUM_STEPS, generator=rs.Streams(0, "attack", range(4)))
    assert bool(((current == 0) | (current == 1)).any()), "something is clamped"
    layer = time_loop(lambda u, number, step: triangle(u, 1.0))

    def gradient(*, is_clamped: bool) -> Tensor:
        leaf = images.clone().requires_grad_()
        passed = ((current > 0) & (current < 1)).double() if is_clamped else torch.ones_like(current)
        noisy = current.detach() + passed * (leaf - leaf.detach())
        return torch.autograd.grad(loss_by_hand(noisy, labels, layer), leaf)[0]

    torch.testing.assert_close(gradient_of(BPTT(), coding), gradient(is_clamped=True))
    torch.testing.assert_close(gradient_of(StraightThroughClamp(), coding), gradient(is_clamped=False))
    assert not torch.allclose(gradient(is_clamped=True), gradient(is_clamped=False))


def test_the_straight_through_clamp_is_no_coding_that_anyone_lists() -> None:
    known = dict(Spec._kinds)
    gradient_of(StraightThroughClamp(), NOISY)
    assert Spec._kinds == known
    listed = discover(rs.codings.__name__, rs.codings.__path__, AbstractCoding)
    assert set(listed) == {"Direct", "Poisson", "RandomizedSmoothing"}


def test_codings_say_whether_they_clamp() -> None:
    assert NOISY.is_clamped
    assert not rs.codings.RandomizedSmoothing(variance=0.0).is_clamped
    assert not rs.codings.Direct().is_clamped
    assert not rs.codings.Poisson().is_clamped


def test_an_ensemble_is_the_mean_of_directions_of_one_size() -> None:
    """Heights of the derivative differ by a factor of 20; each path has a draw of its own."""
    paths = (BPTT(), Surrogate(surrogate=Rectangle(width=20.0)), TimeAverage())
    images, labels = toy_batch()
    streams, expected = rs.Streams(0, "attack", range(4)), torch.zeros_like(images)
    for path in paths:
        gradient = path.loss_and_gradient(toy(NOISY), images, labels, loss=CE(), generator=streams)[1]
        for row in range(4):
            assert float(gradient[row].abs().max()) > 0
            expected[row] += gradient[row] / gradient[row].abs().mean() / 3
    torch.testing.assert_close(gradient_of(Ensemble(paths=paths), NOISY), expected)


def test_a_zero_gradient_stays_zero_and_the_others_decide() -> None:
    """A rectangle of width 1e-9 sees nothing."""
    blind = Surrogate(surrogate=Rectangle(width=1e-9))
    assert not bool(gradient_of(blind, NOISY).any())
    assert not bool(gradient_of(Ensemble(paths=(blind, blind)), NOISY).any())
    both = gradient_of(Ensemble(paths=(BPTT(), blind)), NOISY)
    torch.testing.assert_close(both, gradient_of(Ensemble(paths=(BPTT(),)), NOISY) / 2)


def test_an_ensemble_keeps_the_statistics_of_its_paths_apart() -> None:
    """The second path sees what it would see alone, at every step, although the first has statistics too."""
    images, labels = toy_batch()
    other = AdaptiveSharpness(coverage=0.2)
    both, alone, classifier = Memory(), Memory(), toy()
    ensemble = Ensemble(paths=(AdaptiveSharpness(), other))
    for point in (images, images + 0.05):
        together = ensemble.slope(classifier, point, labels, loss=CE(), generator=None, memory=both)
        single = Ensemble(paths=(other,)).slope(
            classifier, point, labels, loss=CE(), generator=None, memory=alone
        )
    kept, expected = both._parts[1]._kept, alone._parts[0]._kept
    assert kept.keys() == expected.keys()
    assert all(torch.equal(kept[key][0], expected[key][0]) for key in kept)
    assert not torch.equal(together.gradient, single.gradient)


def test_an_ensemble_costs_what_its_paths_cost() -> None:
    ensemble = Ensemble(paths=(Expectation(num_draws=3), BPTT(), AdaptiveSharpness()))
    assert (ensemble.num_passes, ensemble.num_levels, ensemble.has_statistics) == (5, 3, True)
    assert not Ensemble(paths=(BPTT(),)).has_statistics
    with pytest.raises(InputError, match="must hold at least one gradient path"):
        Ensemble(paths=())


@pytest.mark.parametrize(
    "path",
    [
        Expectation(),
        StraightThroughClamp(of=Expectation()),
        Ensemble(paths=(BPTT(), StraightThroughClamp(of=Expectation()))),
    ],
    ids=repr,
)
def test_expectations_cannot_be_nested(path: AbstractGradient) -> None:
    with pytest.raises(InputError, match="multiply num_draws"):
        Expectation(of=path)


def test_the_variance_of_an_expectation_falls_as_one_over_draws() -> None:
    """4000 independent gradients of one image; the error of a variance follows from the fourth moment."""
    num_images = 4000
    images = toy_batch()[0][:1].repeat(num_images, 1, 1, 1)
    labels = torch.zeros(num_images, dtype=torch.int64)
    variances, errors = [], []
    for num_draws in (1, 4, 16):
        streams = rs.Streams(num_draws, "attack", range(num_images))
        gradient = Expectation(num_draws=num_draws).loss_and_gradient(
            toy(NOISY), images, labels, loss=CE(), generator=streams
        )[1]
        values = gradient.flatten(1)[:, 0]
        squares = (values - values.mean()).square()
        variances.append(float(squares.mean()) * num_draws)
        errors.append(float(squares.std()) * num_draws / math.sqrt(num_images))
    assert variances[0] > 0
    for other, error in zip(variances[1:], errors[1:], strict=True):
        assert abs(other - variances[0]) < 5 * math.hypot(error, errors[0])


def test_the_gradient_of_the_mean_probability() -> None:
    """-sum grad p_j / sum p_j, from probabilities differentiated here, by hand, draw by draw."""
    images, labels = toy_batch()
    streams, num_draws = rs.Streams(0, "attack", range(4)), 5
    classifier, total, slopes = toy(NOISY), torch.zeros(4, dtype=torch.float64), torch.zeros_like(images)
    for draw in range(num_draws):
        leaf = images.clone().requires_grad_()
        logits = classifier.logits(leaf, streams.at(draw))
        probability = logits.softmax(-1).gather(1, labels[:, None])[:, 0]
        slopes += torch.autograd.grad(probability.sum(), leaf)[0]
        total += probability.detach()
    path = Expectation(num_draws=num_draws, loss="mean_probability")
    torch.testing.assert_close(gradient_of(path, NOISY), -slopes / total[:, None, None, None])


def test_noise_by_hand_agrees_with_the_coding() -> None:
    """The reference with noise added and clamped in its own graph is BPTT's gradient."""
    images, labels = toy_batch()
    noise = rs.Streams(0, "attack", range(4)).normal((1, 1, 2), num_steps=NUM_STEPS, device=images.device)
    layer = time_loop(lambda u, number, step: triangle(u, 1.0))
    expected = gradient_by_hand(images, labels, layer, math.sqrt(0.05) * noise)
    torch.testing.assert_close(gradient_of(BPTT(), NOISY), expected)
