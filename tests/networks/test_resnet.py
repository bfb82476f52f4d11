"""ResNet-19: the published design counted by hand, its block, its threshold scaling, its liveness."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import RangeError
from rsc_snn.networks import BuiltNetwork, ResNet19
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons import LIF, AbstractNeuron, ReLU
from tests.helpers import seeded
from tests.networks.liveness import CODINGS, SOURCES, check_alive
from tests.networks.shapes import build_meta, conv, linear, num_parameters, output_shapes

STAGES = (
    6 * conv(128, 128),
    conv(128, 256) + 5 * conv(256, 256) + conv(128, 256, side=1),
    conv(256, 512) + 3 * conv(512, 512) + conv(256, 512, side=1),
)


def parts(network: BuiltNetwork) -> list[nn.Module]:
    """Stem and stages."""
    return [network.get_submodule("layers.stem"), *stages(network)]


def stages(network: BuiltNetwork) -> list[nn.Module]:
    return list(network.get_submodule("layers.stages").children())


def test_parameters_are_those_of_the_design() -> None:
    """Per stage, written out; 12.70 million in all at 10 classes.

    Papers print 12.63 million for the variant with a stem of 64 channels, whose first block then has a
    1x1 convolution in its shortcut: that count follows from the same sums.
    """
    network = build_meta(ResNet19())
    assert [num_parameters(part) for part in parts(network)] == [conv(3, 128), *STAGES]
    assert [num_parameters(part) for part in parts(network)] == [3_712, 886_272, 3_280_384, 8_393_728]
    head = linear(512, 256) + linear(256, 10)
    total = conv(3, 128) + sum(STAGES) + head
    assert num_parameters(network) == total == 12_697_994
    with_stem_64 = total + conv(3, 64) + conv(64, 128) + conv(64, 128, side=1) - conv(3, 128) - conv(128, 128)
    assert round(with_stem_64 / 1e6, 2) == 12.63


def test_nineteen_layers_have_weights_shortcuts_not_counted() -> None:
    modules = list(build_meta(ResNet19()).modules())
    convolutions = [m for m in modules if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]
    assert len(convolutions) + sum(isinstance(m, nn.Linear) for m in modules) == 19


@pytest.mark.parametrize(
    ("image_shape", "sides"),
    [
        ((1, 8, 8), (32, 32, 16, 8)),
        ((3, 32, 32), (32, 32, 16, 8)),
        ((3, 64, 64), (64, 64, 32, 16)),
        ((3, 65, 65), (17, 17, 9, 5)),
        ((3, 224, 224), (56, 56, 28, 14)),
    ],
)
def test_stages_halve_the_image(image_shape: tuple[int, int, int], sides: tuple[int, ...]) -> None:
    network = build_meta(ResNet19(), image_shape=image_shape)
    expected = [(width, side, side) for width, side in zip((128, 128, 256, 512), sides, strict=True)]
    assert output_shapes(network, parts(network)) == expected


def test_a_large_image_changes_the_stem_only() -> None:
    """7x7 instead of 3x3, and 1000 classes instead of 10."""
    network = build_meta(ResNet19(), num_classes=1000, image_shape=(3, 224, 224))
    head = linear(512, 256) + linear(256, 1000)
    assert num_parameters(network) == conv(3, 128, side=7) + sum(STAGES) + head


def test_small_images_stand_in_the_middle_of_zeros() -> None:
    current = torch.rand(2, 3, 1, 8, 9, generator=seeded(0))
    spec = ResNet19(width_divisor=32)
    small = spec.build(image_shape=(1, 8, 9), generator=seeded(1))(current)
    padded = functional.pad(current, (11, 12, 12, 12))
    large = spec.build(image_shape=(1, 32, 32), generator=seeded(1))(padded)
    assert torch.equal(small, large)


def test_the_residual_is_added_before_the_neuron() -> None:
    """With its last normalisation at zero, a block with an identity shortcut is the neuron of its input."""
    block = stages(ResNet19(width_divisor=32).build(generator=seeded(0)))[0].get_submodule("1")
    nn.init.zeros_(block.get_parameter("second.norm.weight"))
    current = 2 * torch.randn(4, 3, 4, 8, 8, generator=seeded(1))
    expected = LIF().over_time(current)
    assert torch.equal(block(current), expected)
    assert 0.05 < float(expected.mean()) < 0.6
    assert not torch.equal(expected, (current >= 1).float()), "it integrates over time"


@pytest.mark.parametrize(
    ("neuron", "threshold_scaling", "alone", "in_sum"),
    [
        (LIF(threshold=0.5), True, 0.5, 0.5 / math.sqrt(2)),
        (LIF(threshold=0.5), False, 1.0, 1.0),
        (LIF(), True, 1.0, 1 / math.sqrt(2)),
        (ReLU(), True, 1.0, 1 / math.sqrt(2)),
    ],
    ids=repr,
)
def test_normalisations_start_at_the_threshold(
    neuron: AbstractNeuron, threshold_scaling: bool, alone: float, in_sum: float
) -> None:
    """Eight blocks: one norm each before a neuron, plus the stem's; one each in a sum, plus two shortcuts."""
    network = ResNet19(width_divisor=32, threshold_scaling=threshold_scaling).build(neuron=neuron)
    norms = {name: m for name, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}
    summed = {name for name in norms if "second" in name or "shortcut" in name}
    assert (len(norms) - len(summed), len(summed)) == (9, 10)
    for name, norm in norms.items():
        expected = in_sum if name in summed else alone
        assert norm.weight.tolist() == pytest.approx([expected] * norm.num_features)


def test_a_sum_of_two_branches_has_the_spread_of_the_threshold() -> None:
    """Two normalised currents with variance V^2 / 2 each; random branches are nearly independent."""
    threshold = 0.5
    spec = ResNet19(width_divisor=4)
    network = spec.build(neuron=LIF(threshold=threshold), generator=seeded(0))
    sums: list[Tensor] = []
    for stage in stages(network)[1:]:
        activation = stage.get_submodule("0.activation")
        assert isinstance(activation, Activation)
        activation.register_forward_pre_hook(lambda m, args: sums.append(args[0].detach()))
    network(torch.rand(2, 8, 3, 32, 32, generator=seeded(1)))
    for current in sums:
        assert float(current.var((0, 1, 3, 4)).mean()) == pytest.approx(threshold**2, rel=0.2)


@pytest.mark.parametrize("coding", CODINGS, ids=repr)
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
@pytest.mark.parametrize(("seed", "source"), [(0, "digits"), (1, "generated"), (2, "digits")])
def test_a_fresh_network_is_alive(
    coding: AbstractCoding, neuron: AbstractNeuron, seed: int, source: str
) -> None:
    check_alive(
        ResNet19(width_divisor=16),
        num_neuron_layers=18,
        coding=coding,
        neuron=neuron,
        images=SOURCES[source](16),
        seed=seed,
    )


@pytest.mark.parametrize(
    ("spec", "neuron"),
    [
        (ResNet19(width_divisor=16), LIF(threshold=0.5)),
        (ResNet19(width_divisor=16), LIF(threshold=2.0, decay=0.9)),
        (ResNet19(width_divisor=16, threshold_scaling=False), LIF()),
    ],
    ids=repr,
)
def test_it_is_alive_with_other_thresholds_and_without_scaling(spec: ResNet19, neuron: LIF) -> None:
    images = SOURCES["generated"](16)
    check_alive(spec, num_neuron_layers=18, coding=CODINGS[0], neuron=neuron, images=images, seed=0)


def test_bad_divisors_are_refused() -> None:
    with pytest.raises(RangeError, match="width_divisor must divide the widths 128, got 3"):
        ResNet19(width_divisor=3)
