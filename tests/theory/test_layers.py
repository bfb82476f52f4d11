"""The first layer of a network as a matrix in pixel units."""

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.theory import claims
from rsc_snn.theory.claims import Tried
from rsc_snn.theory.layers import FirstLayer, first_layer
from rsc_snn.theory.noises import PoissonNoise, UnclampedNoise
from rsc_snn.theory.subjects import EPS, subject_of
from tests.helpers import seeded, small_classifier

NETWORKS: list[tuple[rs.networks.AbstractNetwork, tuple[int, int, int], tuple[int, int, int]]] = [
    (rs.networks.VGG5(hidden_width=64, width_divisor=4), (3, 32, 32), (3, 3, 4)),
    (rs.networks.VGG11(hidden_width=64, width_divisor=16), (1, 8, 8), (1, 3, 4)),  # padded to 32
    (rs.networks.SEWResNet18(width_divisor=8), (3, 72, 72), (3, 7, 9)),  # stride 2
]


@pytest.mark.parametrize(("spec", "shape", "patch_shape"), NETWORKS, ids=["VGG5", "VGG11", "SEWResNet18"])
def test_the_rows_are_those_of_the_convolution(
    spec: rs.networks.AbstractNetwork, shape: tuple[int, int, int], patch_shape: tuple[int, int, int]
) -> None:
    """The matrix gives what the convolution gives on the normalised and padded image."""
    network = spec.build(image_shape=shape, generator=seeded(0))
    classifier = SpikingClassifier(network, rs.codings.Direct(), 2, (0.3,), (0.4,))
    found = first_layer(classifier, shape, name="test")
    assert found.layer.patch_shape == patch_shape
    image = torch.rand(shape, generator=seeded(1))
    seen: list[Tensor] = []
    conv = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    handle = conv.register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.no_grad():
        classifier(image[None])
    handle.remove()
    outputs = found.layer.outputs(found.patch(image).double().flatten()[None])[0]
    height, width = seen[0].shape[-2:]
    there = seen[0][0, :: max(1, conv.out_channels // 16), height // 2, width // 2 : width // 2 + 2]
    assert len(outputs) == len(there[:16].flatten()) >= 8
    torch.testing.assert_close(outputs.float(), there[:16].flatten(), rtol=1e-4, atol=1e-5)


def test_the_classifier_is_left_as_it_is() -> None:
    classifier = small_classifier().train()
    first_layer(classifier, (1, 8, 8), name="test")
    assert classifier.training
    assert next(classifier.parameters()).dtype == torch.float32
    assert not any(module._forward_hooks for module in classifier.modules())


def test_theorems_hold_on_a_networks_first_layer_under_fgsm() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.05))
    subject = subject_of(classifier, torch.rand(1, 8, 8, generator=seeded(3)), 4, name="net", seed=0)
    assert subject.layer.name == "first layer of net"
    assert (subject.variance, subject.steps) == (0.05, (1, 2))
    (change,) = subject.changes.values()
    assert 0.9 * EPS < float(change.abs().max()) < 1.001 * EPS
    for claim, noise in (
        (claims.poisson_agrees, PoissonNoise()),
        (claims.unclamped_agrees, UnclampedNoise(variance=0.05)),
    ):
        assert claim(Tried.of(subject, noise, num_samples=20_000, seed=0)).verdict == "pass"


def test_networks_without_a_convolution_in_front_are_refused() -> None:
    class Flat(nn.Module):
        def forward(self, current: Tensor) -> Tensor:
            return current.flatten(2)[..., :2]

    with pytest.raises(InputError, match="has no convolution"):
        first_layer(SpikingClassifier(Flat(), rs.codings.Direct(), 2), (1, 4, 4), name="test")

    class Unused(Flat):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

    with pytest.raises(InputError, match="does not begin with"):
        first_layer(SpikingClassifier(Unused(), rs.codings.Direct(), 2), (1, 4, 4), name="test")

    blank = small_classifier()
    with torch.no_grad():
        for parameter in blank.parameters():
            parameter.zero_()
    with pytest.raises(InputError, match="are all 0"):
        first_layer(blank, (1, 8, 8), name="test")


def test_a_patch_is_cut_where_the_outputs_look() -> None:
    found = first_layer(small_classifier(), (1, 8, 8), name="test")
    assert isinstance(found, FirstLayer)
    assert (found.top, found.left) == (3, 3)
    image = torch.arange(64.0).reshape(1, 8, 8)
    assert found.patch(image)[0, 0, 0] == 3 * 8 + 3
