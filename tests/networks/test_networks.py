"""What every network promises; one line in a module's EXAMPLES is enough to be tested here."""

import pytest
import torch
import yaml
from torch import nn

from rsc_snn import networks
from rsc_snn.errors import ShapeError
from rsc_snn.networks import VGG5, AbstractNetwork, Blueprint, ResNet19, SEWResNet18
from rsc_snn.neurons import LIF, ReLU
from rsc_snn.registry import examples
from rsc_snn.spec import from_data, to_data
from tests.helpers import seeded
from tests.networks.shapes import build_meta

EXAMPLES = examples(networks.__name__, networks.__path__, AbstractNetwork)
TINY = [
    VGG5(hidden_width=256, width_divisor=8),
    networks.VGG11(hidden_width=512, width_divisor=16),
    networks.VGG16(hidden_width=512, width_divisor=16),
    ResNet19(width_divisor=16),
    SEWResNet18(width_divisor=8),
]


def test_every_network_is_an_example_at_full_and_at_reduced_width() -> None:
    assert set(EXAMPLES) >= {networks.VGG5(), networks.VGG11(), networks.VGG16(), ResNet19(), SEWResNet18()}
    assert {type(spec) for spec in TINY} == {type(spec) for spec in EXAMPLES}


@pytest.mark.parametrize("spec", EXAMPLES, ids=repr)
@pytest.mark.parametrize("image_shape", [(1, 8, 8), (3, 32, 32), (3, 64, 64), (3, 224, 224)])
def test_full_size_networks_run_without_memory(
    spec: AbstractNetwork, image_shape: tuple[int, int, int]
) -> None:
    network = build_meta(spec, num_classes=1000, image_shape=image_shape)
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    logits = network(torch.empty(2, 3, *image_shape, device="meta"))
    assert logits.is_meta
    assert logits.shape == (2, 3, 1000)


@pytest.mark.parametrize("spec", TINY, ids=repr)
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
@pytest.mark.parametrize("image_shape", [(1, 8, 8), (3, 32, 32), (3, 36, 68)])
def test_logits_have_time_batch_and_classes(
    spec: AbstractNetwork, neuron: LIF | ReLU, image_shape: tuple[int, int, int]
) -> None:
    network = spec.build(num_classes=7, image_shape=image_shape, neuron=neuron)
    logits = network(torch.rand(3, 2, *image_shape, generator=seeded(0)))
    assert logits.shape == (3, 2, 7)
    assert bool(logits.isfinite().all())


@pytest.mark.parametrize("spec", TINY, ids=repr)
def test_what_is_built_on_the_meta_device_has_the_shapes_of_the_real_one(spec: AbstractNetwork) -> None:
    real, meta = spec.build(generator=seeded(0)).state_dict(), build_meta(spec).state_dict()
    assert {name: t.shape for name, t in real.items()} == {name: t.shape for name, t in meta.items()}
    assert not any(tensor.is_meta for tensor in real.values())


def test_nothing_is_drawn_for_the_meta_device() -> None:
    generator = seeded(0)
    with torch.device("meta"):
        VGG5(hidden_width=8).build(generator=generator)
    assert torch.equal(generator.get_state(), seeded(0).get_state())


@pytest.mark.parametrize("spec", TINY, ids=repr)
def test_the_same_generator_gives_the_same_weights_and_leaves_the_global_one_alone(
    spec: AbstractNetwork,
) -> None:
    before = torch.get_rng_state()
    first, second, other = (spec.build(generator=seeded(seed)).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("spec", TINY, ids=repr)
def test_lif_and_twin_share_one_definition(spec: AbstractNetwork) -> None:
    spiking, twin = (spec.build(neuron=neuron).state_dict() for neuron in (LIF(), ReLU()))
    assert {n: t.shape for n, t in spiking.items()} == {n: t.shape for n, t in twin.items()}


@pytest.mark.parametrize("spec", TINY, ids=repr)
def test_every_call_starts_from_rest_and_treats_images_alone(spec: AbstractNetwork) -> None:
    network = spec.build(generator=seeded(0)).double()
    current = torch.rand(2, 6, 3, 32, 32, generator=seeded(1), dtype=torch.float64)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # running statistics are those of the last batch, so that eval mode fires
    network(current)
    network.eval()
    first = network(current)
    assert float(first.detach().std(1).max()) > 0, "images differ"
    torch.testing.assert_close(network(current[:, 2:3]), first[:, 2:3], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spec", EXAMPLES, ids=repr)
def test_specs_survive_yaml(spec: AbstractNetwork) -> None:
    assert from_data(yaml.safe_load(yaml.safe_dump(to_data(spec))), AbstractNetwork) == spec


@pytest.mark.parametrize("image_shape", [(3, 0, 32), (3, 32, 0), (2, 32, 32), (0, 32, 32)])
def test_images_without_size_or_colours_are_refused(image_shape: tuple[int, int, int]) -> None:
    with pytest.raises(ShapeError, match=r"image_shape must be \(1 or 3, H, W\), got"):
        Blueprint(network=ResNet19(), image_shape=image_shape)


@pytest.mark.parametrize("spec", TINY, ids=repr)
def test_mixed_precision_trains(spec: AbstractNetwork) -> None:
    """Convolutions in bfloat16, membranes in float32: every parameter gets a finite gradient, not zero."""
    network = spec.build(generator=seeded(0))
    current = torch.randn(4, 8, 3, 32, 32, generator=seeded(1))
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(current)
    assert logits.dtype == torch.bfloat16
    logits.float().square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.dtype == torch.float32
        assert parameter.grad is not None, name
        assert 0 < float(parameter.grad.abs().max()) < float("inf"), name
