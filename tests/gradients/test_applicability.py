"""Paths that cannot be used say why, and are never silently BPTT."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn import gradients
from rsc_snn.attacks import CE
from rsc_snn.errors import InputError
from rsc_snn.gradients import (
    BPTT,
    AbstractGradient,
    Ensemble,
    Expectation,
    Obstacle,
    RateGradient,
    StraightThroughClamp,
    Surrogate,
    TimeAverage,
    sites,
)
from rsc_snn.gradients.sites import AbstractSite
from rsc_snn.gradients.sites.base import Undo
from rsc_snn.neurons import LIF, AbstractNeuron, ReLU, Triangle
from rsc_snn.neurons.base import Fire
from rsc_snn.registry import examples
from tests.gradients.toys import NOISY, READOUT, toy, toy_batch
from tests.helpers import Linear, seeded, small_classifier

PATHS: list[AbstractGradient] = examples(gradients.__name__, gradients.__path__, AbstractGradient)
SPIKING = [p for p in PATHS if not isinstance(p, BPTT | Expectation | StraightThroughClamp)]
TIMED = {"TimeAverage", "RateGradient", "RateStraightThrough", "Ensemble"}
CLOSED = "a surrogate that cannot be replaced"


@dataclass(frozen=True, kw_only=True)
class Closed(AbstractNeuron):
    """Spikes, but gives nobody its surrogate."""

    def over_time(self, current: Float[Tensor, "T *N"]) -> Float[Tensor, "T *N"]:
        return LIF().over_time(current)

    @property
    def is_spiking(self) -> bool:
        return True

    @property
    def weight_gain(self) -> float:
        return 3.0

    @property
    def drive_scale(self) -> float:
        return 1.0


def slope_of(path: AbstractGradient, classifier: rs.SpikingClassifier) -> None:
    images, labels = toy_batch()
    path.loss_and_gradient(classifier, images, labels, loss=CE(), generator=rs.Streams(0, "attack", range(4)))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path)[:70])
def test_every_path_applies_to_a_noisy_network_of_ours(path: AbstractGradient) -> None:
    assert path.obstacle(small_classifier(NOISY), torch.rand(2, 1, 8, 8, generator=seeded(0))) is None


@pytest.mark.parametrize("path", SPIKING, ids=lambda path: repr(path)[:70])
def test_a_twin_has_no_spiking_neuron(path: AbstractGradient) -> None:
    network = rs.networks.VGG5(hidden_width=16).build(
        num_classes=10, image_shape=(1, 8, 8), neuron=ReLU(), generator=seeded(0)
    )
    twin = rs.SpikingClassifier(network, rs.codings.Direct(), 1).eval()
    images = torch.rand(2, 1, 8, 8, generator=seeded(0))
    assert path.obstacle(twin, images) == Obstacle("no spiking neuron", weakens=False)
    assert Expectation(of=path).obstacle(twin, images) == path.obstacle(twin, images)
    if not isinstance(path, Ensemble) or BPTT() not in path.paths:
        with pytest.raises(InputError, match="the network has no spiking neuron; use BPTT"):
            path.loss_and_gradient(twin, images, torch.tensor([0, 1]), loss=CE(), generator=None)


@pytest.mark.parametrize("path", SPIKING, ids=lambda path: repr(path)[:70])
def test_a_neuron_that_hides_its_surrogate_weakens_an_evaluation(path: AbstractGradient) -> None:
    classifier = toy(neuron=Closed())
    found = path.obstacle(classifier, toy_batch()[0])
    assert found == Obstacle(f"{CLOSED} (Closed is no AbstractSpikingNeuron)", weakens=True)
    with pytest.raises(InputError, match=rf"the network has {CLOSED} \(Closed"):
        slope_of(path, classifier)


class ForeignNeuron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fire: Callable[[Tensor], Tensor] = Triangle()

    def forward(self, current_TBN: Tensor) -> Tensor:
        return torch.stack([self.fire(current_t - 0.8) for current_t in current_TBN])


class ForeignNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.neuron = ForeignNeuron()

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        logits: Tensor = self.neuron(current_TBCHW.flatten(2)) @ READOUT.T
        return logits


@pytest.mark.parametrize("path", SPIKING, ids=lambda path: repr(path)[:70])
def test_a_surrogate_of_ours_in_a_neuron_of_somebody_else_weakens_too(path: AbstractGradient) -> None:
    classifier = rs.wrap(ForeignNet(), coding=rs.codings.Direct(), num_steps=3).double().eval()
    assert path.obstacle(classifier, toy_batch()[0]) == Obstacle(f"{CLOSED} (Step)", weakens=True)


@dataclass(frozen=True)
class ForeignSite(AbstractSite):
    neuron: ForeignNeuron

    def replace(self, fire: Fire) -> Undo:
        earlier, self.neuron.fire = self.neuron.fire, fire
        return lambda: setattr(self.neuron, "fire", earlier)


@pytest.mark.parametrize("path", SPIKING, ids=lambda path: repr(path)[:70])
def test_foreign_neurons_take_other_surrogates_but_no_other_run_over_time(
    path: AbstractGradient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sites,
        "_finders",
        lambda: [lambda module: ForeignSite(module) if isinstance(module, ForeignNeuron) else None],
    )
    network = ForeignNet()
    classifier = rs.wrap(network, coding=rs.codings.Direct(), num_steps=3).double().eval()
    assert isinstance(classifier, rs.SpikingClassifier)
    original = network.neuron.fire
    found = path.obstacle(classifier, toy_batch()[0])
    if type(path).__name__ in TIMED:
        reason = f"{CLOSED} (only neurons of this library can be replaced over all steps at once)"
        assert found == Obstacle(reason, weakens=True)
        with pytest.raises(InputError, match="over all steps at once"):
            slope_of(path, classifier)
    else:
        assert found is None
        slope_of(path, classifier)
    assert network.neuron.fire is original


@pytest.mark.parametrize(
    "coding", [rs.codings.Direct(), rs.codings.Poisson(), rs.codings.RandomizedSmoothing(variance=0.0)]
)
def test_without_a_clamp_there_is_nothing_to_pass_through(coding: rs.codings.AbstractCoding) -> None:
    path, images = StraightThroughClamp(), toy_batch()[0]
    assert path.obstacle(toy(coding), images) == Obstacle("no clamp in the coding", weakens=False)
    with pytest.raises(InputError, match="expects a coding that clamps, got"):
        slope_of(path, toy(coding))


def test_a_wrapped_module_has_neither() -> None:
    classifier = rs.wrap(nn.Sequential(nn.Flatten(), nn.Linear(2, 3))).double().eval()
    images = toy_batch()[0]
    assert StraightThroughClamp().obstacle(classifier, images) == Obstacle("no clamp in the coding", False)
    assert TimeAverage().obstacle(classifier, images) == Obstacle("no spiking neuron", False)
    over_time = rs.SpikingClassifier(Linear(torch.ones(1, 1, 2)), rs.codings.Direct(), 2).double()
    assert RateGradient().obstacle(over_time, images) == Obstacle("no spiking neuron", False)


def test_the_obstacle_behind_a_clamp_and_in_an_ensemble_is_told() -> None:
    closed, images = toy(NOISY, neuron=Closed()), toy_batch()[0]
    found = StraightThroughClamp(of=TimeAverage()).obstacle(closed, images)
    assert found is not None
    assert found.weakens
    mixed = Ensemble(paths=(StraightThroughClamp(), TimeAverage()))
    assert mixed.obstacle(toy(neuron=Closed()), images) == found, "the one that weakens comes first"
    assert Ensemble(paths=(BPTT(),)).obstacle(closed, images) is None
    assert Surrogate(surrogate=Triangle()).obstacle(toy(), images) is None
