"""All backends of a network compute the same, and keep of it what they say."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError, ShapeError, UnknownNameError
from rsc_snn.networks import backend_of, set_backend, set_checkpointing
from rsc_snn.networks.activation import Activation
from rsc_snn.networks.blocks import Pool
from rsc_snn.networks.compiling import can_compile
from rsc_snn.networks.folding import folded
from rsc_snn.networks.normalising import affine
from rsc_snn.neurons.base import Fire
from rsc_snn.passes import KeptBytes
from tests.helpers import seeded
from tests.training.launch import environment

NETWORKS = [
    rs.networks.VGG5(hidden_width=64, width_divisor=8),
    rs.networks.ResNet19(width_divisor=16),
    rs.networks.SEWResNet18(width_divisor=8),
]
CODINGS = [
    rs.codings.Direct(),
    rs.codings.RandomizedSmoothing(variance=0.1),
    rs.codings.RandomizedSmoothing(variance=0.1, resample_each_step=True),
]
LABELS = torch.tensor([3, 1, 4])


def classifier_of(
    spec: rs.networks.AbstractNetwork,
    coding: rs.codings.AbstractCoding = CODINGS[1],
    *,
    num_steps: int = 3,
    side: int = 32,
) -> SpikingClassifier:
    network = spec.build(image_shape=(3, side, side), generator=seeded(0))
    return SpikingClassifier(network, coding, num_steps, (0.5,), (0.25,)).double().train()


def images(side: int = 32) -> Tensor:
    return torch.rand(3, 3, side, side, generator=seeded(1), dtype=torch.float64).requires_grad_()


def step(classifier: SpikingClassifier, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits of a training pass, and the gradients of image and parameters."""
    logits = classifier.logits(x, rs.Streams(0, "train", range(len(x))))
    loss = nn.functional.cross_entropy(logits, LABELS)
    return logits.detach(), list(torch.autograd.grad(loss, [x, *classifier.parameters()]))


def with_backend(classifier: SpikingClassifier, backend: str) -> SpikingClassifier:
    other = copy.deepcopy(classifier)
    set_backend(other, backend)
    return other


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: type(spec).__name__)
@pytest.mark.parametrize("coding", CODINGS, ids=repr)
def test_eager_equals_the_oracle_which_passes_every_step(
    spec: rs.networks.AbstractNetwork, coding: rs.codings.AbstractCoding
) -> None:
    """Logits to the bit, gradients and running statistics to rounding; also in eval mode and folded."""
    eager = classifier_of(spec, coding)
    plain, x = with_backend(eager, "plain"), images()
    assert backend_of(eager) == "eager"
    logits, gradients = step(eager, x)
    expected, expected_gradients = step(plain, x)
    assert torch.equal(logits, expected)
    for ours, theirs in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
    assert max(float(g.abs().max()) for g in gradients) > 1e-3
    for ours, theirs in zip(eager.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    eager.eval()
    plain.eval()
    folded_one = copy.deepcopy(eager)
    folded_one.network = folded(folded_one.network)
    answers = [step(c, x) for c in (plain, eager)]
    assert torch.equal(answers[0][0], answers[1][0])
    torch.testing.assert_close(answers[0][1], answers[1][1], rtol=1e-9, atol=1e-12)
    folded_one.requires_grad_()
    torch.testing.assert_close(step(folded_one, x)[1][0], answers[0][1][0], rtol=1e-9, atol=1e-12)


def test_in_float32_images_differ_only_where_a_membrane_lies_at_its_threshold() -> None:
    """Within 1e-5; rounding then decides whether a spike is fired, and what follows differs."""
    network = NETWORKS[0].build(image_shape=(3, 8, 8), generator=seeded(0))
    classifier = SpikingClassifier(network, CODINGS[1], 4, (0.5,), (0.25,)).train()
    x = torch.rand(400, 3, 8, 8, generator=seeded(1))
    with torch.no_grad():
        for _ in range(30):
            classifier(x[:64])
        plain = with_backend(classifier.eval(), "plain")
        ours = classifier.logits(x, rs.Streams(0, "score", range(400)))
        distances: list[Tensor] = []

        def fire(u: Tensor) -> Tensor:
            distances.append(u.abs().flatten(1).amin(1))
            return (u >= 0).to(u.dtype)

        for layer in plain.modules():
            if isinstance(layer, Activation):
                assert isinstance(layer.neuron, rs.neurons.LIF)
                layer.drive = lambda current, neuron=layer.neuron: neuron.driven(current, fire)
        theirs = plain.logits(x, rs.Streams(0, "score", range(400)))
    is_far = torch.stack(distances).amin(0) > 1e-5
    assert 40 < int(is_far.sum()) < 400, "some images have such a membrane, and some have not"
    torch.testing.assert_close(ours[is_far], theirs[is_far], rtol=1e-4, atol=1e-5)


def test_the_running_variance_counts_every_step() -> None:
    """64 values at 3 equal steps: unbiased with 192 / 191, not 64 / 63, of a variance by hand."""
    network = rs.networks.VGG5(hidden_width=16, width_divisor=8).build(
        image_shape=(1, 4, 4), generator=seeded(0)
    )
    conv, norm = (network.get_submodule(f"layers.features.0.{name}") for name in ("conv", "norm"))
    assert isinstance(norm, nn.BatchNorm2d)
    current = torch.randn(1, 4, 1, 4, 4, generator=seeded(1)).expand(3, -1, -1, -1, -1)
    network.train()(current)
    values = conv(current[0]).detach().double()
    assert norm.running_var is not None
    biased = values.var((0, 2, 3), correction=0)
    count = 3 * 64
    expected = 0.9 + 0.1 * biased * count / (count - 1)
    torch.testing.assert_close(norm.running_var.double(), expected, rtol=1e-6, atol=1e-7)
    wrong = 0.9 + 0.1 * biased * 64 / 63
    assert not torch.allclose(norm.running_var.double(), wrong, rtol=1e-6, atol=1e-7)


def test_the_first_convolution_sees_a_static_current_once() -> None:
    for coding, expected in zip(CODINGS, (3, 3, 9), strict=True):
        classifier, seen = classifier_of(NETWORKS[0], coding), list[int]()
        conv = next(module for module in classifier.modules() if isinstance(module, nn.Conv2d))
        conv.register_forward_hook(lambda _, given, __, seen=seen: seen.append(len(given[0])))
        step(classifier, images())
        set_backend(classifier, "plain")
        step(classifier, images())
        assert seen == [expected, 9], "the oracle passes T times"


def test_a_network_of_another_kind_gets_a_current_that_it_may_write_to() -> None:
    class Writes(nn.Module):
        def forward(self, current: Tensor) -> Tensor:
            current[0] += 1
            return current.flatten(2)[..., :10]

    classifier = SpikingClassifier(Writes(), rs.codings.Direct(), 3)
    x = torch.rand(2, 3, 4, 4, generator=seeded(0))
    logits = classifier.logits_over_time(x)
    assert torch.equal(logits[0], logits[1] + 1)


def test_hooks_see_what_they_would_see() -> None:
    """Where somebody watches normalisation, neuron or pool, these are computed one after the other."""
    classifier, x = classifier_of(NETWORKS[0]), images()
    expected = step(with_backend(classifier, "plain"), x)[0]
    watched = [m for m in classifier.modules() if isinstance(m, nn.BatchNorm2d | Activation | Pool)]
    seen: list[Tensor] = []
    for module in watched:
        module.register_forward_hook(lambda _, __, out: seen.append(out))
    logits, _ = step(classifier, x)
    assert torch.equal(logits, expected)
    assert len(seen) == len(watched) == 3 + 5 + 2


def test_a_surrogate_exchanged_by_an_attacker_is_used() -> None:
    classifier, x = classifier_of(NETWORKS[0]).eval(), images()
    wide = rs.gradients.Surrogate(surrogate=rs.neurons.Triangle(width=3.0))
    found = []
    for backend in ("plain", "eager"):
        set_backend(classifier, backend)
        _, gradient = wide.loss_and_gradient(
            classifier,
            x.detach(),
            LABELS,
            loss=rs.attacks.CE(),
            generator=rs.Streams(0, "attack", range(3)),
        )
        found.append(gradient)
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: type(spec).__name__)
def test_checkpointing_changes_nothing_but_memory(spec: rs.networks.AbstractNetwork) -> None:
    kept, again = classifier_of(spec), classifier_of(spec)
    set_checkpointing(again, True)
    x, sizes = images(), []
    for classifier in (kept, again):
        counter = KeptBytes(classifier)
        with counter.watched():
            logits = classifier.logits(x, rs.Streams(0, "train", range(3)))
        sizes.append(counter.count())
        del logits
    (a, gradients), (b, others) = step(kept, x), step(again, x)
    assert torch.equal(a, b)
    torch.testing.assert_close(gradients, others, rtol=1e-12, atol=1e-14)
    for ours, theirs in zip(kept.buffers(), again.buffers(), strict=True):
        assert torch.equal(ours, theirs), "running statistics move once"
    assert sizes[1] < 0.6 * sizes[0]


def kept_inside(classifier: SpikingClassifier, block: nn.Module, x: Tensor) -> int:
    """Bytes that a block adds to what waits for the backward pass."""
    counter, counts = KeptBytes(classifier), list[int]()
    handles = [
        block.register_forward_pre_hook(lambda *_: counts.append(counter.count())),
        block.register_forward_hook(lambda *_: counts.append(counter.count())),
    ]
    with counter.watched():
        classifier.logits(x, rs.Streams(0, "train", range(len(x))))
    for handle in handles:
        handle.remove()
    return counts[1] - counts[0]


def test_blocks_are_not_computed_twice_where_an_attacker_counts_calls() -> None:
    """PotentialDependent adds up membranes at each call of a neuron; a second pass would count them again."""
    found = []
    for is_checkpointed in (False, True):
        classifier = classifier_of(NETWORKS[0]).eval()
        set_checkpointing(classifier, is_checkpointed)
        _, gradient = rs.gradients.PotentialDependent().loss_and_gradient(
            classifier,
            images().detach(),
            LABELS,
            loss=rs.attacks.CE(),
            generator=rs.Streams(0, "attack", range(3)),
        )
        found.append(gradient)
    assert torch.equal(*found)
    assert float(found[0].abs().max()) > 0


def test_a_block_is_computed_again_in_the_mode_that_it_was_in() -> None:
    found = []
    for is_checkpointed in (False, True):
        classifier, x = classifier_of(NETWORKS[0]), images()
        set_checkpointing(classifier, is_checkpointed)
        loss = classifier.logits(x, rs.Streams(0, "train", range(3))).square().sum()
        classifier.eval()
        found.append(torch.autograd.grad(loss, x)[0])
        assert not any(module.training for module in classifier.modules())
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("requires_grad", [True, False], ids=["trained", "frozen"])
def test_other_convolutions_are_asked_themselves(requires_grad: bool) -> None:
    """Frozen weights and spikes as input would take the way that knows zeros at the border only."""

    class Doubled(nn.Conv2d):
        def forward(self, values: Tensor) -> Tensor:
            return 2 * super().forward(values)

    options: dict[str, Any] = {"kernel_size": 3, "padding": 1, "bias": False}
    for conv in (
        nn.Conv2d(16, 16, padding_mode="reflect", **options),
        nn.Conv2d(16, 16, groups=2, **options),
        nn.Conv2d(16, 16, kernel_size=3, padding="same", bias=False),
        nn.Conv2d(16, 16, kernel_size=3, padding=2, dilation=2, bias=False),
        Doubled(16, 16, **options),
    ):
        eager = classifier_of(NETWORKS[0], num_steps=2)
        block = eager.get_submodule("network.layers.features.3")  # sees spikes
        block.conv = conv.double()
        eager.requires_grad_(requires_grad)
        found = []
        for classifier in (eager, with_backend(eager, "plain")):
            x = images()
            logits = classifier.logits(x, rs.Streams(0, "train", range(3)))
            leaves = [x, *(p for p in classifier.parameters() if p.requires_grad)]
            found.append(torch.autograd.grad(nn.functional.cross_entropy(logits, LABELS), leaves))
        torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)


def test_what_writes_to_spikes_is_seen() -> None:
    """By a hook in place, or through ``data``, which autograd does not notice: no byte stands for 0.5."""

    def halve(_: nn.Module, __: Any, spikes: Tensor) -> None:
        spikes.mul_(0.5)

    def halve_unseen(_: nn.Module, __: Any, spikes: Tensor) -> None:
        spikes.data.mul_(0.5)

    for hook in (halve, halve_unseen):
        eager = classifier_of(NETWORKS[1], num_steps=2)
        for module in eager.modules():
            if isinstance(module, Activation):
                module.register_forward_hook(hook)
        found = [step(classifier, images())[1] for classifier in (eager, with_backend(eager, "plain"))]
        torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)


def test_an_empty_batch_is_answered_in_eval_mode() -> None:
    network = classifier_of(NETWORKS[0]).eval().network
    assert network(torch.zeros(3, 0, 3, 32, 32).double()).shape == (3, 0, 10)


def test_statistics_of_sixteen_bits_are_those_of_batch_norm() -> None:
    """Channels whose mean is 10 times their spread, where a mean of 16 bits is too coarse."""
    norm, other = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
    values = (10 + torch.randn(8, 4, 6, 6, generator=seeded(0))).bfloat16()
    found = affine(norm, values, repeats=1)
    expected = other(values)
    torch.testing.assert_close(norm.running_mean, other.running_mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(norm.running_var, other.running_var, rtol=1e-4, atol=1e-6)
    ours = (values.float() - found.mean[:, None, None]) * found.invstd[:, None, None]
    torch.testing.assert_close(ours, expected.detach().float(), rtol=0, atol=0.02)
    with pytest.raises(ShapeError, match="more than one value per channel"):
        affine(norm, torch.zeros(1, 4, 1, 1), repeats=1)


def test_spikes_wait_as_bytes_and_nothing_waits_for_frozen_weights() -> None:
    """Of conv, norm, neuron: 8 bytes of current and one per spike, by hand, for a block that sees spikes."""
    classifier, x = classifier_of(NETWORKS[1], CODINGS[2], num_steps=2), images()
    first = classifier.get_submodule("network.layers.stages.0.1.first")
    sizes = []
    for requires_grad in (True, False):
        classifier.requires_grad_(requires_grad)
        sizes.append(kept_inside(classifier, first, x))
    num_values, small = 2 * 3 * 8 * 32 * 32, 4 * 8 * 8
    assert sizes == [pytest.approx((8 + 1) * num_values, abs=small), pytest.approx(8 * num_values, abs=small)]


def test_gradients_of_gradients_are_right_or_refused() -> None:
    """With respect to weights through the image's gradient, as input-gradient regularisation asks for."""
    eager = classifier_of(NETWORKS[1], num_steps=2)
    x, found = images(), []
    for classifier in (eager, with_backend(eager, "plain")):
        logits = classifier.logits(x, rs.Streams(0, "train", range(3)))
        loss = nn.functional.cross_entropy(logits, LABELS)
        (first,) = torch.autograd.grad(loss, x, create_graph=True)
        weight = classifier.get_parameter("network.layers.stem.block.conv.weight")
        found.append(torch.autograd.grad(first.square().sum(), weight)[0])
    assert float(found[1].abs().max()) > 1e-6
    torch.testing.assert_close(*found, rtol=1e-7, atol=1e-12)
    logits = eager.logits(x, rs.Streams(0, "train", range(3)))
    last = eager.get_parameter("network.layers.stages.2.0.second.conv.weight")
    (first,) = torch.autograd.grad(nn.functional.cross_entropy(logits, LABELS), last, create_graph=True)
    with pytest.raises(InputError, match="set_backend\\(network, 'plain'\\)"):
        torch.autograd.grad(first.square().sum(), x)


def test_neurons_of_other_kinds_pass_through_every_backend() -> None:
    class Louder(rs.neurons.LIF):
        """Fires as LIF does, and is seen twice."""

        def driven(self, current: Tensor, fire: Fire, *, detach_membrane: bool = False) -> Tensor:
            return 2 * super().driven(current, fire, detach_membrane=detach_membrane)

    class Silent(rs.neurons.LIF):
        """Never fires."""

        def over_time(self, current: Tensor) -> Tensor:
            return torch.zeros_like(current)

    spec = rs.networks.VGG5(hidden_width=64, width_divisor=8)
    for neuron in (Louder(), Silent(), rs.neurons.ReLU()):
        network = spec.build(image_shape=(3, 8, 8), neuron=neuron, generator=seeded(0)).double()
        current = torch.rand(1, 3, 3, 8, 8, generator=seeded(1), dtype=torch.float64).expand(
            2, -1, -1, -1, -1
        )
        found = []
        for backend in ("plain", "eager"):
            other = copy.deepcopy(network)
            set_backend(other, backend)
            found.append(other(current))
        torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="backend"):
        set_backend(nn.Identity(), "fast")


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(torch.device("cpu")), reason="no C++ compiler")
def test_compiled_kernels_equal_the_oracle() -> None:
    """In a process of its own, where annotations are not checked: the compiler cannot read the checks."""
    words = [sys.executable, str(Path(__file__).with_name("compiled_parity.py"))]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for case in found["neurons"]:
        assert case["spikes_equal"], case
        assert case["rate"] > 0.02, case
        assert case["gradient_error"] < 1e-6, case
    for case in found["networks"]:
        assert case["logits_equal"], case
        assert case["gradient_error"] < 1e-9, case
    assert len(found["neurons"]) == 1
    assert {case["batch"] for case in found["networks"]} == {3, 5}
    assert found["compilations_of_other_batches"] == 0
