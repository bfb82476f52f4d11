"""What every gradient path promises, over all examples: alone, inside Expectation, and inside an attack."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn import gradients
from rsc_snn.attacks import CE, PGD
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.gradients import (
    BPTT,
    AbstractGradient,
    AbstractPath,
    Expectation,
    Memory,
    StraightThroughClamp,
)
from rsc_snn.gradients.parts import limited_rows
from rsc_snn.networks.activation import Activation
from rsc_snn.registry import examples
from rsc_snn.spec import from_data, to_data
from tests.gradients.toys import lively, rowwise, toy_batch
from tests.helpers import seeded

PATHS: list[AbstractGradient] = examples(gradients.__name__, gradients.__path__, AbstractGradient)
SINGLE = [path for path in PATHS if not isinstance(path, Expectation)]
LEAVES = [path for path in SINGLE if isinstance(path, AbstractPath)]
NOISY = rs.codings.RandomizedSmoothing(variance=0.1, resample_each_step=True)
FORGETFUL = [p for p in SINGLE if not p.has_statistics and not isinstance(p, StraightThroughClamp)]
ALL = [*PATHS, *(Expectation(of=path, num_draws=3) for path in SINGLE)]


@pytest.fixture(scope="module")
def classifier() -> SpikingClassifier:
    return lively(NOISY).double()


def batch(num_images: int) -> tuple[Tensor, Tensor]:
    images = torch.rand(num_images, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    return images, torch.arange(num_images)


def short(path: AbstractGradient) -> str:
    return repr(path)[:70]


class StoppedError(Exception):
    pass


class Stopping:
    is_cross_entropy = True

    def at(self, rows: Tensor) -> "Stopping":
        return self

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        raise StoppedError


def test_every_path_has_an_example() -> None:
    assert {type(path).__name__ for path in PATHS} == {
        "BPTT", "Surrogate", "AdaptiveSharpness", "TimeAverage", "RateGradient", "RateStraightThrough",
        "PotentialDependent", "Ensemble", "StraightThroughClamp", "Expectation",
    }  # fmt: skip
    for path in PATHS:
        assert from_data(to_data(path), AbstractGradient) == path


@contextmanager
def recorded_spikes(classifier: SpikingClassifier) -> Iterator[list[Tensor]]:
    spikes: list[Tensor] = []
    layers = [module for module in classifier.modules() if isinstance(module, Activation)]
    hooks = [
        layer.register_forward_hook(lambda module, args, output: spikes.append(output.detach().clone()))
        for layer in layers
    ]
    yield spikes
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("path", LEAVES, ids=short)
def test_spikes_are_those_of_the_network(path: AbstractPath, classifier: SpikingClassifier) -> None:
    images, labels = batch(3)
    passes, levels = [], []
    for other in (BPTT(), path, StraightThroughClamp(of=path)):
        streams = rs.Streams(0, "attack", range(3))
        with recorded_spikes(classifier) as spikes:
            slope = other.slope(classifier, images, labels, loss=CE(), generator=streams, memory=Memory())
        passes.append(spikes)
        levels.append(slope.level)
    for spikes, level in zip(passes[1:], levels[1:], strict=True):
        assert len(spikes) == len(passes[0]) >= 2
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(spikes, passes[0], strict=True))
        assert torch.equal(level.loss, levels[0].loss)
        assert torch.equal(level.wrong, levels[0].wrong)


@pytest.mark.parametrize("path", ALL, ids=short)
def test_images_never_mix(path: AbstractGradient, classifier: SpikingClassifier) -> None:
    """Image 0 alone and among three, over two steps of an attack."""
    images, labels = batch(3)
    found = []
    for size in (1, 3):
        streams, memory = rs.Streams(0, "attack", range(size)), Memory()
        for step in range(2):
            point = images[:size] * (1 - 0.1 * step)
            slope = path.slope(classifier, point, labels[:size], loss=CE(), generator=streams, memory=memory)
        found.append((slope.gradient[0], slope.level.loss[0]))
        assert streams.next_draw == 2 * path.num_passes
    torch.testing.assert_close(found[0], found[1])
    assert float(found[0][0].abs().max()) > 0


@pytest.mark.parametrize("path", [path for path in SINGLE if path.has_statistics], ids=short)
def test_a_memory_that_changes_with_the_steps_is_declared(
    path: AbstractGradient, classifier: SpikingClassifier
) -> None:
    images, labels = batch(2)
    memory = Memory()
    for _ in range(2):
        path.slope(classifier, images, labels, loss=CE(), generator=None, memory=memory)
    assert memory._kept


@pytest.mark.parametrize("path", FORGETFUL, ids=short)
def test_others_do_not_depend_on_the_past(path: AbstractGradient) -> None:
    classifier, memory = lively(rs.codings.Direct()).double(), Memory()  # without noise
    images, labels = batch(2)
    gradients = [
        path.slope(classifier, point, labels, loss=CE(), generator=None, memory=memory).gradient
        for point in (images, images / 2, images)
    ]
    assert torch.equal(gradients[0], gradients[2])
    assert not torch.equal(gradients[0], gradients[1])


@pytest.mark.parametrize("path", SINGLE, ids=short)
def test_the_level_is_that_of_the_slope(path: AbstractGradient, classifier: SpikingClassifier) -> None:
    images, labels = batch(2)
    for gradient in (path, Expectation(of=path, num_draws=2)):
        first, second = rs.Streams(0, "attack", range(2)), rs.Streams(0, "attack", range(2))
        level = gradient.level(classifier, images, labels, loss=CE(), generator=first)
        slope = gradient.slope(classifier, images, labels, loss=CE(), generator=second, memory=Memory())
        assert first.next_draw == gradient.num_levels
        if gradient.num_levels == gradient.num_passes:
            torch.testing.assert_close(level.loss, slope.level.loss)


@pytest.mark.parametrize("path", ALL, ids=short)
def test_the_model_is_restored_after_an_exception(path: AbstractGradient) -> None:
    classifier = lively(NOISY)
    coding, layers = classifier.coding, [m for m in classifier.modules() if isinstance(m, Activation)]
    with pytest.raises(StoppedError):
        path.slope(
            classifier,
            batch(2)[0].float(),
            batch(2)[1],
            loss=Stopping(),
            generator=rs.Streams(0, "attack", range(2)),
            memory=Memory(),
        )
    assert classifier.coding is coding
    assert layers
    assert all(layer.drive is None for layer in layers)


@pytest.mark.parametrize("path", ALL, ids=short)
def test_runs_inside_an_attack(path: AbstractGradient) -> None:
    """Nothing global moves, modes come back, and the answer is repeatable."""
    classifier = lively(NOISY).train()
    images, labels = batch(2)[0].float(), batch(2)[1]
    attack = PGD(eps=0.1, step_size=0.05, num_steps=2)
    before = torch.random.get_rng_state()
    found = [attack(classifier, images, labels, gradient=path) for _ in range(2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(module.training for module in classifier.modules())
    assert all(parameter.grad is None for parameter in classifier.parameters())
    assert torch.equal(found[0], found[1])
    assert float((found[0] - images).abs().max()) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("path", SINGLE, ids=short)
def test_expectation_in_parts_gives_the_same(path: AbstractGradient) -> None:
    """Five draws of four images in one pass, in several over the images, in several over the draws."""
    images, labels = toy_batch()
    found = []
    for num_rows in (64, 10, 3, 1):
        streams, memory, classifier = rs.Streams(0, "attack", range(4)), Memory(), rowwise(NOISY)
        with limited_rows(num_rows):
            gradients = [
                Expectation(of=path, num_draws=5)
                .slope(classifier, point, labels, loss=CE(), generator=streams, memory=memory)
                .gradient
                for point in (images, images + 0.05)
            ]
        found.append(gradients)
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])
