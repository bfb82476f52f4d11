"""The LIF layer as one step of autograd against the same operations left to autograd, in float64."""

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from rsc_snn.neurons import LIF, Arctan, Rectangle, Sigmoid
from rsc_snn.neurons.kernels import CompiledKernels, EagerKernels, Shape, compiled
from rsc_snn.neurons.layer import Affine, Layer
from tests.helpers import seeded

NEURONS = [
    LIF(),
    LIF(decay=0.9, threshold=0.7, surrogate=Sigmoid(), detach_reset=True),
    LIF(decay=1.0, surrogate=Arctan()),
    LIF(decay=0.25, surrogate=Rectangle(width=2.0)),
]
C = 3


def values(num_given: int, *, num_images: int = 2, side: int = 4) -> Tensor:
    """[S, B, C, H, W] in channels_last, around the thresholds."""
    shape = (num_given, num_images, side, side, C)
    drawn = 1.5 * torch.randn(*shape, generator=seeded(0), dtype=torch.float64)
    return drawn.permute(0, 1, 4, 2, 3).requires_grad_()


def normalisation(of: Tensor, *, is_of_batch: bool) -> Affine:
    weight = (0.5 + torch.rand(C, generator=seeded(1), dtype=torch.float64)).requires_grad_()
    bias = (0.1 * torch.randn(C, generator=seeded(2), dtype=torch.float64)).requires_grad_()
    found = of.detach() if is_of_batch else 0.7 * of.detach() - 0.3
    var, mean = torch.var_mean(found, (0, 1, 3, 4), correction=0)
    return Affine(weight, bias, mean, (var + 1e-5).rsqrt(), 1e-5, is_of_batch=is_of_batch)


def by_hand(x: Tensor, affine: Affine | None, neuron: LIF, num_steps: int, *, is_pooled: bool) -> Tensor:
    """Each operation of its own, by other functions than those of ``Layer.plain``."""
    if affine is not None:
        mean, invstd = affine.mean[:, None, None], affine.invstd[:, None, None]
        if affine.is_of_batch:
            mean = x.mean((0, 1, 3, 4), keepdim=True)
            invstd = ((x - mean).square().mean((0, 1, 3, 4), keepdim=True) + affine.eps) ** -0.5
        x = (x - mean) * invstd * affine.weight[:, None, None] + affine.bias[:, None, None]
    spikes = neuron.driven(x.repeat(num_steps // len(x), 1, 1, 1, 1), neuron.surrogate)
    if is_pooled:
        square = spikes.unflatten(4, (-1, 2)).unflatten(3, (-1, 2))
        spikes = square.mean((4, 6))
    return spikes


@pytest.mark.parametrize("neuron", NEURONS, ids=repr)
@pytest.mark.parametrize("num_given", [1, 4])
@pytest.mark.parametrize("is_pooled", [False, True])
@pytest.mark.parametrize("kind", ["alone", "running statistics", "batch statistics"])
def test_spikes_and_gradients_are_those_of_autograd(
    neuron: LIF, num_given: int, is_pooled: bool, kind: str
) -> None:
    x = values(num_given)
    affine = None if kind == "alone" else normalisation(x, is_of_batch=kind == "batch statistics")
    layer = Layer(neuron, EagerKernels(), Shape(4, is_pooled=is_pooled))
    ours, theirs = layer.spikes(x, affine), by_hand(x, affine, neuron, 4, is_pooled=is_pooled)
    assert torch.equal(ours, theirs)
    assert 0.02 < float(ours.detach().mean()) < 0.6
    weights = torch.randn(ours.shape, generator=seeded(3), dtype=torch.float64)
    leaves = [x] if affine is None else [x, affine.weight, affine.bias]
    found = torch.autograd.grad((ours * weights).sum(), leaves)
    expected = torch.autograd.grad((theirs * weights).sum(), leaves)
    for a, b in zip(found, expected, strict=True):
        assert float(b.abs().max()) > 0.01
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["alone", "running statistics", "batch statistics"])
def test_gradients_of_gradients_are_those_of_autograd(kind: str) -> None:
    neuron, x = LIF(surrogate=Sigmoid()), values(1)
    affine = None if kind == "alone" else normalisation(x, is_of_batch=kind == "batch statistics")
    layer = Layer(neuron, EagerKernels(), Shape(3, is_pooled=True))
    weights = torch.randn(3, 2, C, 2, 2, generator=seeded(3), dtype=torch.float64)
    leaves = [x] if affine is None else [x, affine.weight]
    twice = []
    for spikes in (layer.spikes(x, affine), by_hand(x, affine, neuron, 3, is_pooled=True)):
        (first,) = torch.autograd.grad((spikes * weights).sum(), x, create_graph=True)
        twice.append(torch.autograd.grad(first.square().sum(), leaves))
    for a, b in zip(*twice, strict=True):
        assert float(b.abs().max()) > 1e-4
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_nothing_but_the_values_is_kept() -> None:
    """A pass keeps the current before its normalisation, and [C] numbers: no spikes, no membranes."""
    x = values(1, num_images=8, side=16)
    affine = normalisation(x, is_of_batch=True)
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        spikes = Layer(LIF(), EagerKernels(), Shape(8)).spikes(x, affine)
    assert spikes.numel() == 8 * x.numel()
    assert sum(kept.values()) == 8 * (x.numel() + 4 * C)


@pytest.mark.parametrize("shape", [(5,), (5, 7), (5, 2, 3), (5, 2, 3, 4, 4), (5, 0, 3)])
def test_any_shape_is_taken(shape: tuple[int, ...]) -> None:
    current = torch.randn(*shape, generator=seeded(0), dtype=torch.float64).requires_grad_()
    neuron = LIF()
    spikes, expected = neuron.over_time(current), neuron.driven(current, neuron.surrogate)
    assert torch.equal(spikes, expected)
    spikes.sum().backward()
    assert current.grad is not None
    torch.testing.assert_close(current.grad, torch.autograd.grad(expected.sum(), current)[0])


def test_spikes_may_be_written_to() -> None:
    x = values(4)
    neuron = LIF()
    halved = torch.autograd.grad(neuron.over_time(x).mul_(0.5).sum(), x)
    expected = torch.autograd.grad((0.5 * neuron.driven(x, neuron.surrogate)).sum(), x)
    torch.testing.assert_close(halved, expected)


def test_a_full_list_of_compiled_sizes_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler keeps a few sizes for each function and then refuses; another function goes on."""

    full = type("FailOnRecompileLimitHit", (Exception,), {})

    class Limited:
        def __init__(self, kernel: compiled._Kernel, formula: Callable[..., Tensor]):
            self.left, self.compute = 2, functools.partial(formula, kernel)

        def __call__(self, *tensors: Tensor) -> Tensor:
            self.left -= 1
            if self.left < 0:
                raise full
            result: Tensor = self.compute(*tensors)
            return result

    made: list[Limited] = []
    monkeypatch.setattr(compiled, "_FUNCTIONS", {})

    def make(kernel: compiled._Kernel, formula: Callable[..., Tensor]) -> Limited:
        made.append(Limited(kernel, formula))
        return made[-1]

    monkeypatch.setattr(compiled, "_compiled", make)
    neuron = LIF()
    for size in (3, 4, 5, 6, 7):
        current = torch.randn(2, size, generator=seeded(size))
        spikes = Layer(neuron, CompiledKernels(), Shape(2)).spikes(current)
        assert torch.equal(spikes, neuron.over_time(current))
    assert len(made) == 3


def test_a_transposed_current_is_read_in_its_own_order() -> None:
    x = values(4).detach().transpose(3, 4).requires_grad_()
    neuron = LIF()
    assert torch.equal(neuron.over_time(x), neuron.driven(x, neuron.surrogate))


def test_sixteen_bits_keep_their_membrane_in_thirty_two() -> None:
    x = values(4).detach().bfloat16()
    layer = Layer(LIF(decay=0.9), EagerKernels(), Shape(4, is_pooled=True))
    ours = layer.spikes(x)
    wide = nn.functional.avg_pool2d(LIF(decay=0.9).over_time(x.float()).flatten(0, 1), 2)
    assert ours.dtype == torch.bfloat16
    assert torch.equal(ours.float().flatten(0, 1), wide)
