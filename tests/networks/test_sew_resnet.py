"""SEW-ResNet-18: the size of ResNet-18, blocks that can be the identity, its liveness."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import RangeError
from rsc_snn.networks import BuiltNetwork, SEWResNet18
from rsc_snn.neurons import LIF, AbstractNeuron, ReLU
from tests.helpers import seeded
from tests.networks.liveness import CODINGS, SOURCES, check_alive, generated
from tests.networks.shapes import build_meta, conv, linear, num_parameters, output_shapes

STAGES = (
    4 * conv(64, 64),
    conv(64, 128) + 3 * conv(128, 128) + conv(64, 128, side=1),
    conv(128, 256) + 3 * conv(256, 256) + conv(128, 256, side=1),
    conv(256, 512) + 3 * conv(512, 512) + conv(256, 512, side=1),
)


def stages(network: BuiltNetwork) -> list[nn.Module]:
    return list(network.get_submodule("layers.stages").children())


def parts(network: BuiltNetwork) -> list[nn.Module]:
    """Stem and stages."""
    return [network.get_submodule("layers.stem"), *stages(network)]


def test_at_224_it_has_the_parameters_of_resnet_18() -> None:
    """11,689,512 is the published count of ResNet-18 with 1000 classes; neurons have no parameters."""
    network = build_meta(SEWResNet18(), num_classes=1000, image_shape=(3, 224, 224))
    assert [num_parameters(part) for part in parts(network)] == [conv(3, 64, side=7), *STAGES]
    total = conv(3, 64, side=7) + sum(STAGES) + linear(512, 1000)
    assert num_parameters(network) == total == 11_689_512


def test_at_32_the_stem_is_smaller() -> None:
    """3x3 in place of 7x7: 3 * 64 * (49 - 9) weights fewer, and 990 classes of 513 numbers fewer."""
    assert num_parameters(build_meta(SEWResNet18())) == 11_689_512 - 3 * 64 * 40 - 990 * 513


@pytest.mark.parametrize(
    ("image_shape", "sides"),
    [
        ((1, 8, 8), (32, 32, 16, 8, 4)),
        ((3, 32, 32), (32, 32, 16, 8, 4)),
        ((3, 64, 64), (64, 64, 32, 16, 8)),
        ((3, 224, 224), (56, 56, 28, 14, 7)),
    ],
)
def test_stages_halve_the_image(image_shape: tuple[int, int, int], sides: tuple[int, ...]) -> None:
    network = build_meta(SEWResNet18(), image_shape=image_shape)
    expected = [(width, side, side) for width, side in zip((64, 64, 128, 256, 512), sides, strict=True)]
    assert output_shapes(network, parts(network)) == expected


def test_small_images_stand_in_the_middle_of_zeros() -> None:
    current = torch.rand(2, 3, 1, 8, 9, generator=seeded(0))
    spec = SEWResNet18(width_divisor=8)
    small = spec.build(image_shape=(1, 8, 9), generator=seeded(1))(current)
    padded = functional.pad(current, (11, 12, 12, 12))
    large = spec.build(image_shape=(1, 32, 32), generator=seeded(1))(padded)
    assert torch.equal(small, large)


@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
def test_a_silent_residual_path_makes_a_block_the_identity(neuron: AbstractNeuron) -> None:
    """Sums of spikes above 1 pass unchanged, and so does the gradient."""
    network = SEWResNet18(width_divisor=8).build(neuron=neuron, generator=seeded(0))
    block = stages(network)[0].get_submodule("0")
    activity = torch.randint(0, 4, (3, 2, 8, 8, 8), generator=seeded(1)).float().requires_grad_()
    assert not torch.equal(block(activity), activity), "a fresh block adds spikes"
    nn.init.zeros_(block.get_parameter("second.norm.weight"))
    nn.init.zeros_(block.get_parameter("second.norm.bias"))
    passed = block(activity)
    assert torch.equal(passed, activity)
    (gradient,) = torch.autograd.grad(passed.sum(), activity)
    assert torch.equal(gradient, torch.ones_like(activity))


def test_spikes_are_added_after_the_neurons() -> None:
    """A block's output is that of its two paths, each of zeros and ones; two blocks reach 3."""
    network = SEWResNet18(width_divisor=4).build(image_shape=(3, 16, 16), generator=seeded(0))
    found: dict[str, Tensor] = {}
    stage = stages(network)[1]
    for name in ("0", "0.second", "0.shortcut", "1.second", "1"):
        stage.get_submodule(name).register_forward_hook(
            lambda m, i, out, name=name: found.update({name: out.detach()})
        )
    network(generated(8).expand(4, 8, 3, 16, 16))
    for name in ("0.second", "0.shortcut", "1.second"):
        assert set(found[name].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(found["0"], found["0.second"] + found["0.shortcut"])
    assert torch.equal(found["1"], found["0"] + found["1.second"])
    assert found["1"].unique().tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("coding", CODINGS, ids=repr)
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
@pytest.mark.parametrize(("seed", "source"), [(0, "digits"), (1, "generated"), (2, "digits")])
def test_a_fresh_network_is_alive(
    coding: AbstractCoding, neuron: AbstractNeuron, seed: int, source: str
) -> None:
    """Stem, two in each of eight blocks, three shortcuts."""
    check_alive(
        SEWResNet18(width_divisor=8),
        num_neuron_layers=20,
        coding=coding,
        neuron=neuron,
        images=SOURCES[source](16),
        seed=seed,
    )


def test_bad_divisors_are_refused() -> None:
    with pytest.raises(RangeError, match="width_divisor must divide the widths 64, got 128"):
        SEWResNet18(width_divisor=128)


def test_narrow_networks_on_large_images_learn() -> None:
    """On some CPUs torch crashes in 1x1 convolutions with a stride and few channels; ours do without."""
    network = SEWResNet18(width_divisor=8).build(generator=seeded(0))
    network(torch.rand(1, 2, 3, 224, 224, generator=seeded(1))).sum().backward()
    assert all(
        weight.grad is not None and bool(weight.grad.isfinite().all()) for weight in network.parameters()
    )
