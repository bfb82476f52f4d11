"""Rates and operations against hand calculation, Jacobians and connections counted one by one."""

import itertools
from typing import Any

import pytest
import torch
from scipy.stats import ttest_1samp
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.observing.counting import READ_OUT, LayerActivity, count_activity, joined
from rsc_snn.observing.fan_out import arrivals, connections
from rsc_snn.observing.recording import LayerRecord, record
from rsc_snn.observing.spread import spread
from tests.helpers import seeded
from tests.observing.networks import handmade, images_of, settled

NOISY = rs.codings.RandomizedSmoothing(variance=0.05, resample_each_step=True)


def reached(size: int, place: int, *, kernel: int, stride: int, padding: int) -> int:
    """Outputs of a one-dimensional convolution that an input reaches, counted one by one."""
    num_outputs = (size + 2 * padding - kernel) // stride + 1
    taps = itertools.product(range(num_outputs), range(kernel))
    return sum(output * stride - padding + tap == place for output, tap in taps)


def arrived(spikes_TBCHW: Tensor, out_channels: int, *, kernel: int, stride: int, padding: int) -> Tensor:
    """Spikes of an image times the outputs that each reaches, [B]."""
    size = spikes_TBCHW.shape[-1]
    along = torch.tensor(
        [reached(size, i, kernel=kernel, stride=stride, padding=padding) for i in range(size)]
    ).double()
    return out_channels * (spikes_TBCHW * along[:, None] * along).sum((0, 2, 3, 4))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 2), (7, 2)])
def test_arrivals_are_the_nonzero_entries_of_the_jacobian(kernel: int, stride: int) -> None:
    conv = nn.Conv2d(2, 3, kernel, stride=stride, padding=kernel // 2).double()
    image = torch.rand(2, 6, 6, generator=seeded(0), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(conv, image[None])
    fan_out = (jacobian != 0).sum((0, 1, 2, 3, 4))
    events = torch.randint(0, 4, (3, 2, 6, 6), generator=seeded(1)).double()
    assert arrivals(conv, events).tolist() == (events * fan_out).sum((1, 2, 3)).tolist()
    assert connections(conv, (2, 6, 6)) == int(fan_out.sum())


def test_rates_and_operations_by_hand() -> None:
    """One neuron fires once in four steps, the other four times: rate 5/8, and three outputs each time."""
    images = torch.tensor([[0.625, 1.0], [0.0, 0.625]]).reshape(2, 1, 1, 2)
    layer, last = count_activity(handmade(rs.codings.Direct()), images)
    assert (layer.name, layer.is_spiking, layer.num_neurons) == ("neurons", True, 2)
    assert layer.rates is not None
    assert layer.rates.tolist() == [5 / 8, 1 / 8]
    assert layer.fired.tolist() == [True, True]
    assert layer.multiply_accumulates.tolist() == [4, 4]  # two pixels, two neurons, one current for all steps
    assert layer.accumulates.tolist() == [0, 0]
    assert (last.name, last.is_spiking, last.num_neurons, last.rates) == (READ_OUT, None, 0, None)
    assert last.accumulates.tolist() == [15, 3]
    assert last.multiply_accumulates.tolist() == [0, 0]
    assert (layer.connections, last.connections) == (4, 6)


def test_a_coding_that_sends_spikes_costs_additions() -> None:
    """White pixels send a spike at each of four steps to two neurons; black pixels send none."""
    images = torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]).reshape(3, 1, 1, 2)
    layer, last = count_activity(handmade(rs.codings.Poisson()), images, seeded(0))
    assert layer.accumulates.tolist() == [16, 8, 0]
    assert layer.multiply_accumulates.tolist() == [0, 0, 0]
    assert last.accumulates.tolist() == [24, 12, 0]


def test_noise_of_its_own_at_each_step_is_multiplied_at_each_step() -> None:
    images = torch.full((2, 1, 1, 2), 0.5)
    for is_resampled, steps in ((True, 4), (False, 1)):
        coding = rs.codings.RandomizedSmoothing(variance=1e-4, resample_each_step=is_resampled)
        layer, _ = count_activity(handmade(coding), images, seeded(0))
        assert layer.multiply_accumulates.tolist() == [4 * steps] * 2


def test_spikes_of_poisson_coding_are_found_behind_the_normalisation_and_the_padding() -> None:
    """ResNet-19 pads 8x8 images with 12 zeros on each side, which are no spikes."""
    shape = (1, 8, 8)
    classifier = settled(rs.networks.ResNet19(width_divisor=16), rs.codings.Poisson(), image_shape=shape)
    images = images_of(shape)
    coded = nn.functional.pad(classifier.encode(images, seeded(1)), (12, 12, 12, 12))
    layers = count_activity(classifier, images, seeded(1))
    assert layers[0].accumulates.tolist() == arrived(coded, 8, kernel=3, stride=1, padding=1).tolist()


def test_operations_of_a_vgg_are_the_nonzero_entries_of_jacobians() -> None:
    """A spike is counted at each neuron that it reaches through pool, convolution or linear layer."""
    shape = (1, 8, 8)
    spec = rs.networks.VGG5(hidden_width=64, width_divisor=8)
    classifier, images = settled(spec, NOISY, image_shape=shape), images_of(shape)
    records = record(classifier, images, seeded(1)).layers
    layers = count_activity(classifier, images, seeded(1))
    network: Any = classifier.network
    modules = network.layers
    features, hidden = modules.features, modules.hidden
    ways = [
        lambda x: features[2].conv(nn.functional.avg_pool2d(x, 2)),
        lambda x: features[3].conv(x),
        lambda x: hidden[0].linear(nn.functional.avg_pool2d(x, 2).flatten(1)),
        lambda x: hidden[1].linear(x),
        modules.readout,
    ]
    for before, layer, way in zip(records, layers[1:], ways, strict=True):
        jacobian = torch.autograd.functional.jacobian(way, torch.rand_like(before.activity[0, :1]))
        fan_out = (jacobian.flatten(2).reshape(-1, before.activity[0, 0].numel()) != 0).sum(0)
        expected = (before.activity.flatten(2) * fan_out).sum((0, 2))
        assert layer.accumulates.tolist() == expected.tolist(), layer.name
    num_pixels = 3 * 3 * 8 * 8 - (4 * 3 * 8 - 4)  # a row and column of each border is missing
    assert layers[0].multiply_accumulates.tolist() == [3 * 8 * num_pixels] * 2


def test_operations_of_residual_networks_follow_their_branches() -> None:
    shape, options = (1, 32, 32), {"kernel": 3, "padding": 1}
    for spec in (rs.networks.ResNet19(width_divisor=16), rs.networks.SEWResNet18(width_divisor=8)):
        classifier, images = settled(spec, NOISY, image_shape=shape), images_of(shape, 1)
        records = {layer.name: layer for layer in record(classifier, images, seeded(1)).layers}
        counted = {layer.name: layer for layer in count_activity(classifier, images, seeded(1))}
        if isinstance(spec, rs.networks.ResNet19):
            own = arrived(records["stages.1.0.first"].activity, 16, stride=1, **options)
            start = records["stages.0.2"].activity
            short = arrived(start, 16, kernel=1, stride=2, padding=0)
            assert counted["stages.1.0"].accumulates.tolist() == (own + short).tolist()
            last, width = records["stages.2.1"], 16
            assert counted["hidden"].accumulates.tolist() == [float(width * last.activity.sum())]
        else:
            start = sew_output(records, "stages.0.0", "stem.block")
            expected = arrived(start, 8, stride=1, **options)
            assert counted["stages.0.1.first"].accumulates.tolist() == expected.tolist()
            assert float(start.max()) == 2
            end = sew_output(records, "stages.3.1", "stages.3.0.second", "stages.3.0.shortcut")
            assert counted[READ_OUT].accumulates.tolist() == [5 * float(end.sum())]


def sew_output(records: dict[str, LayerRecord], block: str, *inputs: str) -> Tensor:
    """Spikes of a block of SEW-ResNet added to those of its input."""
    return records[f"{block}.second"].activity + sum(records[name].activity for name in inputs)


def test_rates_are_those_of_the_recorded_spikes() -> None:
    shape = (1, 32, 32)
    classifier = settled(rs.networks.ResNet19(width_divisor=16), NOISY, image_shape=shape)
    images = images_of(shape)
    counted = count_activity(classifier, images, seeded(1))
    for layer, seen in zip(counted, record(classifier, images, seeded(1)).layers, strict=False):
        assert layer.rates is not None
        torch.testing.assert_close(layer.rates, seen.activity.flatten(2).mean((0, 2)))
        silent = seen.activity.flatten(2).sum((0, 1)) == 0
        assert torch.equal(layer.fired, ~silent)
        assert layer.num_neurons == len(silent)


def test_the_twin_multiplies_densely_and_counts_neurons_above_0() -> None:
    shape, neuron = (1, 8, 8), rs.neurons.ReLU()
    spec = rs.networks.VGG5(hidden_width=64, width_divisor=8)
    classifier = settled(spec, rs.codings.Direct(), image_shape=shape, neuron=neuron, num_steps=1)
    layers = count_activity(classifier, images_of(shape))
    for layer, seen in zip(layers, record(classifier, images_of(shape)).layers, strict=False):
        assert layer.rates is not None
        torch.testing.assert_close(layer.rates, (seen.current > 0).double().flatten(2).mean((0, 2)))
    assert all(layer.accumulates.tolist() == [0, 0] for layer in layers)
    assert all(layer.multiply_accumulates.tolist() == [layer.connections] * 2 for layer in layers)
    assert [layer.connections for layer in layers[3:]] == [16 * 2 * 2 * 8, 8 * 8, 8 * 5]


def test_batches_are_joined_in_order() -> None:
    classifier = handmade(rs.codings.Direct())
    images = torch.tensor([[0.625, 1.0], [0.0, 0.625], [0.0, 0.0]]).reshape(3, 1, 1, 2)
    whole = count_activity(classifier, images)
    parts = joined([count_activity(classifier, images[:1]), count_activity(classifier, images[1:])])
    for first, second in zip(whole, parts, strict=True):
        assert as_lists(first) == as_lists(second)
    silent = count_activity(classifier, torch.zeros(1, 1, 1, 2))[0]
    assert not silent.fired.any()


def as_lists(layer: LayerActivity) -> tuple[object, ...]:
    rates = None if layer.rates is None else layer.rates.tolist()
    counts = (layer.accumulates.tolist(), layer.multiply_accumulates.tolist(), layer.connections)
    return (layer.name, layer.num_neurons, rates, layer.fired.tolist(), *counts)


def test_intervals_are_students() -> None:
    values = torch.tensor([0.1, 0.3, 0.25, 0.4], dtype=torch.float64)
    interval = ttest_1samp(values.numpy(), 0.0).confidence_interval(0.95)
    assert spread(values) == pytest.approx([0.2625, interval.low, interval.high])
    assert spread(values, lowest=0.2, highest=0.3)[1:] == [0.2, 0.3]
    assert spread(values[:1]) == [0.1, None, None]
