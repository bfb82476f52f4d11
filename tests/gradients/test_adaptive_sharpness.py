"""Adaptive sharpness: its statistics and derivative, by hand over several attack steps."""

import math
from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

import rsc_snn as rs
from rsc_snn.attacks import CE
from rsc_snn.errors import RangeError
from rsc_snn.gradients import AdaptiveSharpness, Expectation, Memory
from rsc_snn.gradients.parts import limited_rows
from rsc_snn.gradients.sites import Place
from rsc_snn.neurons import LIF, AbstractSpikingNeuron
from rsc_snn.neurons.base import Fire
from tests.gradients import toys
from tests.gradients.toys import NOISY, NUM_STEPS, Layer, rowwise, time_loop, toy, toy_batch


class ByHand:
    """M and D of every (layer, step), after the mean over draws of |u|; one attack step a call."""

    def __init__(self, coverage: float, decay: float):
        self.omega, self.decay = 2 / math.pi * math.tan(math.pi * coverage), decay
        self.kept: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def gradient(self, images: Tensor, labels: Tensor, currents: list[Tensor]) -> Tensor:
        """Mean gradient over the draws' currents [T, B, 1, 1, 2], each a function of ``images``."""
        sizes: dict[tuple[int, int], list[Tensor]] = {}

        def watching(u: Tensor, layer: int, step: int) -> Tensor:
            sizes.setdefault((layer, step), []).append(u.detach().abs())
            return 0 * u

        for current in currents:
            self.logits(current.detach(), time_loop(watching))
        for place, of_draws in sizes.items():
            mean, deviation = self.kept.get(place, (torch.ones(4, 2), torch.zeros(4, 2)))
            size = sum(of_draws) / len(of_draws)
            mean = self.decay * mean + (1 - self.decay) * size
            self.kept[place] = mean, 0.9 * deviation + 0.1 * (size - mean).abs()
        losses = [
            functional.cross_entropy(self.logits(c, self.loop), labels, reduction="sum") for c in currents
        ]
        return torch.autograd.grad(torch.stack(losses).mean(), images)[0]

    @property
    def loop(self) -> Layer:
        def phi(u: Tensor, layer: int, step: int) -> Tensor:
            mean, deviation = self.kept[layer, step]
            alpha = self.omega / (mean + 1.5 * deviation + 1e-4)
            return torch.atan(math.pi / 2 * alpha * u) / math.pi

        return time_loop(phi, detach_reset=True)

    @staticmethod
    def logits(current: Tensor, layer: Layer) -> Tensor:
        hidden = layer(current.flatten(2) @ toys.FIRST.T, 0)
        return (layer(hidden @ toys.SECOND.T, 1) @ toys.READOUT.T).mean(0)


@pytest.mark.parametrize(("coverage", "decay"), [(0.425, 0.9), (0.46, 0.5)])
def test_three_attack_steps_without_noise(coverage: float, decay: float) -> None:
    images, labels = toy_batch()
    by_hand, memory = ByHand(coverage, decay), Memory()
    path, classifier = AdaptiveSharpness(coverage=coverage, mean_decay=decay), toy()
    gradients = []
    for step in range(3):
        point = (images + 0.05 * step).requires_grad_()
        expected = by_hand.gradient(point, labels, [point.expand(NUM_STEPS, *point.shape)])
        found = path.slope(classifier, point, labels, loss=CE(), generator=None, memory=memory)
        torch.testing.assert_close(found.gradient, expected)
        gradients.append(expected)
    fresh = path.loss_and_gradient(classifier, images + 0.1, labels, loss=CE(), generator=None)[1]
    assert not torch.allclose(fresh, gradients[-1]), "the memory matters"


@pytest.mark.parametrize("num_rows", [64, 12, 6, 4, 2, 1])
def test_two_attack_steps_over_five_draws(num_rows: int) -> None:
    """All pairs in one pass, images apart, and draws apart: one update a step, from the mean over draws."""
    images, labels = toy_batch()
    by_hand, memory, classifier = ByHand(0.425, 0.9), Memory(), rowwise(NOISY)
    streams, same = (rs.Streams(0, "attack", range(4)) for _ in range(2))
    path = Expectation(of=AdaptiveSharpness(), num_draws=5)
    for step in range(2):
        point = (images + 0.05 * step).requires_grad_()
        currents = [NOISY.encode(point, NUM_STEPS, generator=same) for _ in range(5)]
        expected = by_hand.gradient(point, labels, currents)
        with limited_rows(num_rows):
            found = path.slope(classifier, point, labels, loss=CE(), generator=streams, memory=memory)
        torch.testing.assert_close(found.gradient, expected)


def test_the_derivative_is_an_arctangent_of_the_stated_mass() -> None:
    """With |u| = 1 = M at every step D stays 0: the mass between -1 and 1 is 2 * coverage."""
    for coverage in (0.1, 0.425):
        omega = 2 / math.pi * math.tan(math.pi * coverage)
        mass = 2 * math.atan(math.pi / 2 * omega) / math.pi
        assert mass == pytest.approx(2 * coverage)
        memory = Memory()
        path = AdaptiveSharpness(coverage=coverage)
        classifier = toy(neuron=LIF(decay=0.7, threshold=1.0))
        path.slope(classifier, *batch_at_rest(), loss=CE(), generator=None, memory=memory)
        mean, deviation = memory._kept[Place(0, 0)]
        torch.testing.assert_close(mean, torch.ones_like(mean))
        torch.testing.assert_close(deviation, torch.zeros_like(mean))


def batch_at_rest() -> tuple[Tensor, Tensor]:
    return torch.zeros(2, 1, 1, 2, dtype=torch.float64), torch.tensor([0, 1])


@dataclass(frozen=True, kw_only=True)
class Plain(AbstractSpikingNeuron):
    """A neuron without a field ``detach_reset``."""

    def driven(
        self, current: Float[Tensor, "T *N"], fire: Fire, *, detach_membrane: bool = False
    ) -> Float[Tensor, "T *N"]:
        return LIF(decay=self.decay, threshold=self.threshold).driven(
            current, fire, detach_membrane=detach_membrane
        )

    @property
    def weight_gain(self) -> float:
        return 3.0

    @property
    def drive_scale(self) -> float:
        return 1.0


def test_a_neuron_that_cannot_detach_its_reset_keeps_it() -> None:
    images, labels = toy_batch()
    found = [
        AdaptiveSharpness().loss_and_gradient(toy(neuron=neuron), images, labels, loss=CE(), generator=None)[
            1
        ]
        for neuron in (Plain(decay=0.7, threshold=0.8), toys.NEURON)
    ]
    by_hand = ByHand(0.425, 0.9)
    leaf = images.clone().requires_grad_()
    detached = by_hand.gradient(leaf, labels, [leaf.expand(NUM_STEPS, *leaf.shape)])
    torch.testing.assert_close(found[1], detached)
    assert not torch.allclose(found[0], detached)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("coverage", 0.5, r"coverage must lie in \(0, 0.5\), got 0.5"),
        ("mean_decay", 1.0, r"mean_decay must lie in \[0, 1\), got 1.0"),
        ("deviation_decay", -0.1, r"deviation_decay must lie in \[0, 1\), got -0.1"),
        ("num_deviations", -1.0, "num_deviations must be finite and >= 0, got -1.0"),
    ],
)
def test_bad_settings_are_named(setting: str, value: float, message: str) -> None:
    with pytest.raises(RangeError, match=message):
        AdaptiveSharpness(**{setting: value})
