"""VGG-5: shapes, parameter counts, and that a fresh network is alive."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import AbstractCoding, Direct, Poisson, RandomizedSmoothing
from rsc_snn.errors import RangeError, ShapeError
from rsc_snn.networks import VGG5
from rsc_snn.networks.blocks import Activation
from rsc_snn.neurons import LIF, AbstractNeuron, ReLU
from tests.helpers import seeded

CODINGS = [
    Direct(),
    Poisson(),
    RandomizedSmoothing(variance=0.01),
    RandomizedSmoothing(variance=0.1),
    RandomizedSmoothing(variance=0.1, resample_each_step=True),
]


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


@pytest.mark.parametrize("coding", CODINGS, ids=repr)
@pytest.mark.parametrize("neuron", [LIF(), ReLU()], ids=repr)
@pytest.mark.parametrize("source", ["digits", "generated"])
@pytest.mark.parametrize("seed", range(5))
def test_a_fresh_network_is_alive(
    coding: AbstractCoding, neuron: AbstractNeuron, source: str, seed: int
) -> None:
    """Training mode, 32 images, T=4: every hidden layer fires 1 to 60 %, every layer gets a gradient."""
    images, width = {"digits": (digits(), 256), "generated": (generated(), 512)}[source]
    network = VGG5(hidden_width=width).build(
        image_shape=(images.shape[1], images.shape[2], images.shape[3]), neuron=neuron, generator=seeded(seed)
    )
    rates: list[float] = []
    for module in network.modules():
        if isinstance(module, Activation):
            module.register_forward_hook(lambda m, i, out: rates.append(float(out.detach().mean())))
    num_steps = 4 if neuron.is_spiking else 1
    classifier = SpikingClassifier(network, coding, num_steps, (0.4,), (0.3,)).train()
    logits = classifier.logits(images, seeded(seed))
    torch.nn.functional.cross_entropy(logits, torch.arange(32) % 10).backward()
    assert len(rates) == 5
    if neuron.is_spiking:
        assert all(0.01 <= rate <= 0.60 for rate in rates), rates
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def digits() -> Tensor:
    return torch.tensor(load_digits().images[:32], dtype=torch.float32)[:, None] / 16


def generated() -> Tensor:
    """Colour pictures of smooth blobs, with the spread of natural ones."""
    coarse = torch.rand(32, 3, 4, 4, generator=seeded(0))
    return torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")


def test_lif_and_twin_share_one_definition() -> None:
    spiking, twin = (VGG5(hidden_width=8).build(neuron=n).state_dict() for n in (LIF(), ReLU()))
    assert {n: t.shape for n, t in spiking.items()} == {n: t.shape for n, t in twin.items()}


def test_images_that_pooling_does_not_divide_are_refused() -> None:
    with pytest.raises(ShapeError, match="multiples of 4, got 30 x 32; pad or resize"):
        VGG5().build(image_shape=(3, 30, 32))
    with pytest.raises(ShapeError, match="1 or 3"):
        VGG5().build(image_shape=(2, 32, 32))
    with pytest.raises(RangeError, match="num_classes must be at least 2"):
        VGG5().build(num_classes=1)
    with pytest.raises(RangeError, match="hidden_width must be at least 1"):
        VGG5(hidden_width=0)
