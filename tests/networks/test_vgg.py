"""VGG networks: shapes, parameter counts, and that a fresh network is alive."""

import math

import pytest
import torch
from torch.nn import functional

from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import RangeError, ShapeError
from rsc_snn.networks import VGG5, VGG11, VGG16, AbstractNetwork
from rsc_snn.networks.blocks import Pool
from rsc_snn.neurons import LIF, AbstractNeuron, ReLU
from rsc_snn.spec import from_data
from tests.helpers import seeded
from tests.networks.liveness import CODINGS, SOURCES, check_alive, digits, generated
from tests.networks.shapes import build_meta, conv, linear, num_parameters, output_shapes


@pytest.mark.parametrize("image_shape", [(1, 8, 8), (3, 32, 32), (3, 12, 20), (1, 4, 4)])
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
def test_logits_have_time_batch_and_classes(
    image_shape: tuple[int, int, int], neuron: AbstractNeuron
) -> None:
    network = VGG5(hidden_width=8).build(num_classes=7, image_shape=image_shape, neuron=neuron)
    assert network(torch.rand(3, 2, *image_shape)).shape == (3, 2, 7)


def test_parameters_are_those_of_the_design() -> None:
    """conv 3-64, 64-128, 128-128 with two numbers per normalised channel; 8192-4096-4096-10 with biases."""
    network = VGG5().build(num_classes=10, image_shape=(3, 32, 32))
    convolutions = 9 * (3 * 64 + 64 * 128 + 128 * 128) + 2 * (64 + 128 + 128)
    linear = (8192 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 10
    assert sum(p.numel() for p in network.parameters()) == convolutions + linear


def test_the_same_generator_gives_the_same_weights_and_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    first, second = (VGG5(hidden_width=8).build(generator=seeded(3)).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), before)


def test_vgg5_draws_its_weights_in_the_order_that_trained_runs_started_from() -> None:
    """Convolutions, hidden layers, read-out, one after the other from one generator."""
    network = VGG5(hidden_width=8).build(image_shape=(1, 8, 8), generator=seeded(3))
    generator = seeded(3)
    expected = {
        "layers.features.0.conv": ((64, 1, 3, 3), math.sqrt(2 / 9)),
        "layers.features.2.conv": ((128, 64, 3, 3), math.sqrt(2 / 576)),
        "layers.features.3.conv": ((128, 128, 3, 3), math.sqrt(2 / 1152)),
        "layers.hidden.0.linear": ((8, 512), 3 / math.sqrt(512)),
        "layers.hidden.1.linear": ((8, 8), 3 / math.sqrt(8)),
        "layers.readout": ((10, 8), 1 / math.sqrt(8)),
    }
    state = network.state_dict()
    for name, (shape, std) in expected.items():
        assert torch.equal(state[f"{name}.weight"], torch.empty(shape).normal_(0, std, generator=generator))
    norms = [f"layers.features.{index}.norm" for index in (0, 2, 3)]
    for name in norms:
        assert bool((state[f"{name}.weight"] == 1).all())
    buffers = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    keys = {f"{name}.weight" for name in expected} | {f"{n}.{b}" for n in norms for b in buffers}
    assert set(state) == keys | {f"{name}.bias" for name in expected if "conv" not in name}


def test_a_vgg5_written_before_width_divisor_still_reads() -> None:
    old = {"kind": "VGG5", "hidden_width": 256}
    assert from_data(old, AbstractNetwork) == VGG5(hidden_width=256, width_divisor=1)


def test_vgg11_is_that_of_the_design() -> None:
    """Eight convolutions; at 32x32 three pools leave 4x4, so the linear layers see 512 * 16 = 8192."""
    features = 0
    for i, o in [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512), (512, 512), (512, 512), (512, 512)]:
        features += conv(i, o)
    network = build_meta(VGG11(), num_classes=100)
    head = linear(8192, 4096) + linear(4096, 4096) + linear(4096, 100)
    assert num_parameters(network) == features + head
    pools = [module for module in network.modules() if isinstance(module, Pool)]
    assert output_shapes(network, pools) == [(64, 16, 16), (256, 8, 8), (512, 4, 4)]


@pytest.mark.parametrize(("side", "last", "flat"), [(32, 1, 512), (64, 2, 2048)])
def test_vgg16_is_that_of_the_design(side: int, last: int, flat: int) -> None:
    """Published convolutions: 14,714,688 numbers with 4,224 biases, which the norms replace, two for one."""
    features = 14_714_688 - 4_224 + 2 * 4_224
    network = build_meta(VGG16(), num_classes=200, image_shape=(3, side, side))
    head = linear(flat, 4096) + linear(4096, 4096) + linear(4096, 200)
    assert num_parameters(network) == features + head
    pools = [module for module in network.modules() if isinstance(module, Pool)]
    widths = (64, 128, 256, 512, 512)
    assert output_shapes(network, pools) == [
        (c, last << (4 - i), last << (4 - i)) for i, c in enumerate(widths)
    ]


def test_width_divisor_divides_every_width() -> None:
    """VGG-5 with an eighth of the width: channels 8, 16, 16, hidden 32."""
    network = build_meta(VGG5(hidden_width=256, width_divisor=8))
    features = conv(3, 8) + conv(8, 16) + conv(16, 16)
    assert num_parameters(network) == features + linear(16 * 64, 32) + linear(32, 32) + linear(32, 10)


@pytest.mark.parametrize(
    ("spec", "image_shape", "padded"),
    [
        (VGG11(hidden_width=64, width_divisor=32), (1, 8, 8), (32, 32)),
        (VGG11(hidden_width=64, width_divisor=32), (1, 33, 40), (40, 40)),
        (VGG16(hidden_width=64, width_divisor=32), (1, 8, 9), (32, 32)),
        (VGG16(hidden_width=64, width_divisor=32), (3, 48, 30), (64, 32)),
    ],
    ids=str,
)
def test_small_images_stand_in_the_middle_of_zeros(
    spec: AbstractNetwork, image_shape: tuple[int, int, int], padded: tuple[int, int]
) -> None:
    channels, height, width = image_shape
    current = torch.rand(2, 3, *image_shape, generator=seeded(0))
    above, left = (padded[0] - height) // 2, (padded[1] - width) // 2
    sides = (left, padded[1] - width - left, above, padded[0] - height - above)
    small = spec.build(image_shape=image_shape, generator=seeded(1))(current)
    large = spec.build(image_shape=(channels, *padded), generator=seeded(1))(functional.pad(current, sides))
    assert torch.equal(small, large)


@pytest.mark.parametrize("coding", CODINGS, ids=repr)
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
@pytest.mark.parametrize("source", ["digits", "generated"])
@pytest.mark.parametrize("seed", range(5))
def test_a_fresh_network_is_alive(
    coding: AbstractCoding, neuron: AbstractNeuron, source: str, seed: int
) -> None:
    images, width = {"digits": (digits(), 256), "generated": (generated(), 512)}[source]
    spec = VGG5(hidden_width=width)
    check_alive(spec, num_neuron_layers=5, coding=coding, neuron=neuron, images=images, seed=seed)


@pytest.mark.parametrize(
    ("spec", "num_neuron_layers"),
    [(VGG11(hidden_width=512, width_divisor=8), 10), (VGG16(hidden_width=512, width_divisor=8), 15)],
    ids=repr,
)
@pytest.mark.parametrize("coding", CODINGS, ids=repr)
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
@pytest.mark.parametrize(("seed", "source"), [(0, "digits"), (1, "generated"), (2, "digits")])
def test_deeper_fresh_networks_are_alive(
    spec: AbstractNetwork,
    num_neuron_layers: int,
    coding: AbstractCoding,
    neuron: AbstractNeuron,
    seed: int,
    source: str,
) -> None:
    check_alive(
        spec,
        num_neuron_layers=num_neuron_layers,
        coding=coding,
        neuron=neuron,
        images=SOURCES[source](16),
        seed=seed,
    )


def test_an_eighth_of_vgg5_is_alive() -> None:
    spec = VGG5(hidden_width=512, width_divisor=8)
    check_alive(spec, num_neuron_layers=5, coding=CODINGS[0], neuron=LIF(), images=digits(), seed=0)


def test_images_that_pooling_does_not_divide_are_refused() -> None:
    with pytest.raises(ShapeError, match="multiples of 4, got 30 x 32; pad or resize"):
        VGG5().build(image_shape=(3, 30, 32))
    with pytest.raises(ShapeError, match="1 or 3"):
        VGG5().build(image_shape=(2, 32, 32))
    with pytest.raises(RangeError, match="num_classes must be at least 2"):
        VGG5().build(num_classes=1)
    with pytest.raises(RangeError, match="hidden_width must be at least 1"):
        VGG5(hidden_width=0)
    with pytest.raises(RangeError, match="width_divisor must divide the widths 64, 4096, got 3"):
        VGG11(width_divisor=3)
    with pytest.raises(RangeError, match="width_divisor must divide the widths 64, 36, got 8"):
        VGG5(hidden_width=36, width_divisor=8)
    with pytest.raises(RangeError, match="width_divisor must divide the widths 64, 4096, got 0"):
        VGG16(width_divisor=0)
