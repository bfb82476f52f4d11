"""Recorded spikes and membranes against hand calculation, Eq. 1 written out, and ordinary passes."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.networks.hooks import has_hooks
from rsc_snn.observing.recording import record, watched
from tests.helpers import seeded
from tests.observing.networks import handmade, images_of, settled

NOISY = rs.codings.RandomizedSmoothing(variance=0.05, resample_each_step=True)
CASES = {
    "vgg": (rs.networks.VGG5(hidden_width=64, width_divisor=4), (1, 8, 8), 5),
    "resnet": (rs.networks.ResNet19(width_divisor=16), (1, 32, 32), 18),
    "sew": (rs.networks.SEWResNet18(width_divisor=8), (1, 32, 32), 20),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[SpikingClassifier, Tensor, int]:
    spec, shape, num_layers = CASES[request.param]
    return settled(spec, NOISY, image_shape=shape), images_of(shape), num_layers


def test_spikes_and_membranes_of_a_network_by_hand() -> None:
    """Currents 0.625 and 1: membranes .625, .9375, 1.09375 (fires), .625 and 1 at every step (fires)."""
    images = torch.tensor([0.625, 1.0]).reshape(1, 1, 1, 2)
    recording = record(handmade(rs.codings.Direct()), images)
    (layer,) = recording.layers
    assert layer.name == "neurons"
    assert layer.activity[:, 0].tolist() == [[0, 1], [0, 1], [1, 1], [0, 1]]
    membranes = layer.membranes()
    assert membranes is not None
    assert membranes[:, 0].tolist() == [[0.625, 1], [0.9375, 1], [1.09375, 1], [0.625, 1]]
    assert recording.logits[:, 0].tolist() == [[2, 4, 6], [2, 4, 6], [3, 7, 11], [2, 4, 6]]


def test_what_is_recorded_is_what_an_ordinary_pass_computes(
    case: tuple[SpikingClassifier, Tensor, int],
) -> None:
    classifier, images, num_layers = case
    recording = record(classifier, images, seeded(3))
    assert len(recording.layers) == len({layer.name for layer in recording.layers}) == num_layers
    with torch.no_grad():
        expected = classifier.logits_over_time(images, seeded(3))
        plain = copy.deepcopy(classifier)
        rs.networks.set_backend(plain, "plain")
        torch.testing.assert_close(plain.logits_over_time(images, seeded(3)), expected)
    torch.testing.assert_close(recording.logits, expected)
    torch.testing.assert_close(recording.coded, classifier.encode(images, seeded(3)))


@pytest.mark.parametrize("name", ["vgg", "resnet"])
def test_the_last_recorded_layer_gives_the_logits(name: str) -> None:
    spec, shape, _ = CASES[name]
    classifier, images = settled(spec, NOISY, image_shape=shape), images_of(shape)
    recording = record(classifier, images, seeded(3))
    network: Any = classifier.network
    readout = network.layers.readout
    assert isinstance(readout, nn.Linear)
    with torch.no_grad():
        torch.testing.assert_close(
            readout(recording.layers[-1].activity), classifier.logits_over_time(images, seeded(3))
        )


def test_membranes_obey_equation_1(case: tuple[SpikingClassifier, Tensor, int]) -> None:
    classifier, images, _ = case
    num_spikes = 0
    for layer in record(classifier, images, seeded(3)).layers:
        membranes = layer.membranes()
        assert membranes is not None
        before, spikes = torch.zeros_like(membranes[0]), torch.zeros_like(membranes[0])
        for step, current in enumerate(layer.current):
            before = 0.5 * before * (1 - spikes) + current
            torch.testing.assert_close(membranes[step], before)
            spikes = layer.activity[step]
            assert torch.equal(spikes, (membranes[step] >= 1).double())
            num_spikes += int(spikes.sum())
    assert num_spikes > 100


def test_the_twin_has_activity_and_no_membranes() -> None:
    spec, shape, num_layers = CASES["vgg"]
    classifier = settled(spec, rs.codings.Direct(), image_shape=shape, neuron=rs.neurons.ReLU(), num_steps=1)
    layers = record(classifier, images_of(shape)).layers
    assert len(layers) == num_layers
    for layer in layers:
        assert layer.membranes() is None
        assert torch.equal(layer.activity, layer.current.clamp_min(0))


def test_a_network_is_left_as_it_was() -> None:
    spec, shape, _ = CASES["vgg"]
    classifier = settled(spec, NOISY, image_shape=shape)
    classifier.train()
    network: Any = classifier.network
    network.layers.readout.eval()
    modes = [module.training for module in classifier.modules()]
    record(classifier, images_of(shape), seeded(3))
    with pytest.raises(InputError):
        record(classifier, 2 * images_of(shape) + 1)
    with (
        pytest.raises(ZeroDivisionError),
        watched(classifier.network, (nn.Linear,), lambda *seen: print(1 // 0)),
    ):
        classifier.logits(images_of(shape), seeded(3))
    assert not any(has_hooks(module) for module in classifier.modules())
    assert [module.training for module in classifier.modules()] == modes


def test_running_statistics_do_not_move() -> None:
    spec, shape, _ = CASES["vgg"]
    classifier = settled(spec, NOISY, image_shape=shape).train()
    before = copy.deepcopy(classifier.state_dict())
    record(classifier, images_of(shape), seeded(3))
    for name, value in classifier.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_network_without_our_neurons_is_refused() -> None:
    classifier = SpikingClassifier(nn.Identity(), rs.codings.Direct(), 1)
    with pytest.raises(InputError, match="layers of this library's neurons"):
        record(classifier, torch.rand(1, 1, 2, 2))
