"""Networks made of SpikingJelly's neurons: state, parity with ours, replaced surrogates."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.gradients.sites import Place, find_sites, firing
from rsc_snn.gradients.sites.foreign import unreplaceable
from tests.interop.networks import (
    LABELS,
    NUM_STEPS,
    FromImages,
    OverTime,
    StepByStep,
    graph_size,
    images,
    loss_and_gradient,
    ours,
)

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the library's imports
]
neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
surrogate = pytest.importorskip("spikingjelly.activation_based.surrogate")

LIF: dict[str, Any] = {"tau": 2.0, "decay_input": False, "v_reset": 0.0}


def network(step_mode: str, *, kind: str = "LIFNode", **settings: Any) -> nn.Module:
    settings = settings or {**LIF, "surrogate_function": surrogate.ATan(alpha=2.0)}
    layers = OverTime(lambda: getattr(neuron, kind)(step_mode=step_mode, **settings)).double()
    return layers if step_mode == "m" else StepByStep(layers)


def wrapped(module: nn.Module, *, has_coding: bool) -> Any:
    if has_coding:
        return rs.wrap(module, coding=rs.codings.Direct(), num_steps=NUM_STEPS)
    return rs.wrap(FromImages(module))


def neurons_of(module: nn.Module) -> list[Any]:
    return [part for part in module.modules() if isinstance(part, neuron.BaseNode)]


@pytest.mark.parametrize("step_mode", ["m", "s"])
@pytest.mark.parametrize("has_coding", [True, False])
def test_state_drifts_without_a_reset_and_never_when_wrapped(step_mode: str, has_coding: bool) -> None:
    bare = FromImages(network(step_mode))
    logits = [bare(images().requires_grad_()) for _ in range(3)]
    assert not torch.equal(logits[0], logits[1])
    sizes = [graph_size(call) for call in logits]
    assert sizes[0] < sizes[1] < sizes[2], "the graph of every earlier call is kept"

    classifier = wrapped(network(step_mode), has_coding=has_coding)
    calls = [classifier(images().requires_grad_()) for _ in range(3)]
    torch.testing.assert_close(calls, [logits[0]] * 3, rtol=0, atol=0)
    assert len({graph_size(call) for call in calls}) == 1
    held = [value for m in neurons_of(classifier) for value in m.memories()]
    assert held
    assert not any(isinstance(value, Tensor) and value.requires_grad for value in held)


@pytest.mark.parametrize("has_coding", [True, False])
def test_a_network_left_in_the_middle_is_put_to_rest(has_coding: bool) -> None:
    module = network("m")
    expected = wrapped(network("m"), has_coding=has_coding)(images(4))
    module(images(4).expand(NUM_STEPS, 4, 1, 2, 3))
    assert torch.equal(wrapped(module, has_coding=has_coding)(images(4)), expected)


class Membrane(nn.Module):
    """The logits are what the last neuron keeps: its membrane."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.readout = nn.Linear(6, 4), neuron.IFNode(v_threshold=1e9, v_reset=None)
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        for _ in range(NUM_STEPS):
            self.readout(self.linear(images.flatten(1)))
        logits: Tensor = self.readout.v
        return logits


@pytest.mark.parametrize(
    "reset_value", [0.0, torch.zeros(5, 4, dtype=torch.float64)], ids=["number", "tensor"]
)
def test_the_reset_after_a_call_leaves_its_logits_and_graph_alone(reset_value: Any) -> None:
    """SpikingJelly writes a tensor's reset value into the state itself, which may be in use."""
    module = Membrane()
    module.readout.set_reset_value("v", reset_value)
    classifier = rs.wrap(module).train()
    for _ in range(2):
        classifier.zero_grad()
        logits = classifier(images())
        torch.testing.assert_close(logits, NUM_STEPS * module.linear(images().flatten(1)))
        nn.functional.cross_entropy(logits, LABELS).backward()
    assert all(parameter.grad is not None for parameter in classifier.parameters())


@pytest.mark.parametrize("step_mode", ["m", "s"])
@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("ATan", rs.neurons.Arctan(alpha=2.0)),
        ("PiecewiseQuadratic", rs.neurons.Triangle(width=0.5)),
        ("Sigmoid", rs.neurons.Sigmoid(alpha=2.0)),
    ],
)
@pytest.mark.parametrize("detach_reset", [True, False])
def test_logits_and_gradient_equal_our_network(
    step_mode: str, theirs: str, mine: rs.neurons.AbstractSurrogate, detach_reset: bool
) -> None:
    function = getattr(surrogate, theirs)(alpha=2.0)
    module = network(step_mode, **LIF, surrogate_function=function, detach_reset=detach_reset)
    expected = ours(rs.neurons.LIF(decay=0.5, surrogate=mine, detach_reset=detach_reset))
    classifier = wrapped(module, has_coding=True)
    torch.testing.assert_close(classifier(images()), expected(images()))
    torch.testing.assert_close(loss_and_gradient(classifier, images()), loss_and_gradient(expected, images()))
    attack = rs.attacks.PGD(eps=0.1, num_steps=5)
    torch.testing.assert_close(
        attack(classifier, images(), LABELS), attack(expected, images(), LABELS), rtol=0, atol=0
    )


KINDS = [
    ("IFNode", {"v_reset": 0.0}),
    ("IFNode", {"v_reset": None}),
    ("LIFNode", {"tau": 2.0, "v_reset": 0.0}),
    ("LIFNode", {"tau": 1.5, "v_reset": None, "detach_reset": True}),
    ("ParametricLIFNode", {"init_tau": 2.0, "v_reset": 0.0}),
    ("ParametricLIFNode", {"init_tau": 2.0, "v_reset": None}),
]


@pytest.mark.parametrize("step_mode", ["m", "s"])
@pytest.mark.parametrize(("kind", "settings"), KINDS, ids=repr)
@pytest.mark.parametrize("has_coding", [True, False])
def test_a_replaced_surrogate_equals_one_that_was_built_in(
    kind: str, settings: dict[str, Any], step_mode: str, has_coding: bool
) -> None:
    made = [
        wrapped(network(step_mode, kind=kind, **settings, surrogate_function=function), has_coding=has_coding)
        for function in (surrogate.Sigmoid(alpha=4.0), surrogate.PiecewiseQuadratic(alpha=1.0))
    ]
    triangle, places = rs.neurons.Triangle(width=1.0), list[Place]()

    def fire(u: Tensor, place: Place) -> Tensor:
        places.append(place)
        assert u.shape == (5, 12)
        return triangle(u)

    before = loss_and_gradient(made[0], images())
    with firing(made[0], fire):
        loss, gradient = loss_and_gradient(made[0], images())
    expected = loss_and_gradient(made[1], images())
    torch.testing.assert_close((loss, gradient), expected)
    assert float(loss) == float(before[0]), "the spikes stay as they are"
    assert not torch.equal(gradient, before[1])
    assert {(place.layer, place.step) for place in places} == {(k, t) for k in (0, 1) for t in range(4)}
    assert len(places) == 2 * NUM_STEPS
    torch.testing.assert_close(loss_and_gradient(made[0], images()), before, rtol=0, atol=0)


def test_the_same_object_is_back_after_an_error() -> None:
    module = network("m")
    before = [(layer, getattr(layer, "surrogate_function", None)) for layer in module.modules()]
    keys = [sorted(vars(layer)) for layer in module.modules()]

    def fail(u: Tensor, place: Place) -> Tensor:
        raise ArithmeticError

    with pytest.raises(ArithmeticError), firing(module, fail):
        module(images().expand(NUM_STEPS, 5, 1, 2, 3))
    assert all(getattr(layer, "surrogate_function", None) is found for layer, found in before)
    assert [sorted(vars(layer)) for layer in module.modules()] == keys


def test_a_neuron_that_fires_without_a_derivative_gets_one() -> None:
    """SpikingJelly's complementary LIF fires by a bare step in eval mode, which BPTT cannot pass."""
    module = network("s", kind="ComplementaryLIFNode", tau=2.0)
    classifier = wrapped(module, has_coding=True)
    logits = classifier(images())
    with firing(classifier, lambda u, place: rs.neurons.Triangle()(u)):
        assert torch.equal(classifier(images()), logits)
        _, gradient = loss_and_gradient(classifier, images())
    assert bool((gradient != 0).any())


def test_neurons_without_steps_are_no_sites_and_are_named() -> None:
    class Parallel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.spikes = nn.Linear(6, 12), neuron.PSN(NUM_STEPS, surrogate.ATan())

        def forward(self, current: Tensor) -> Tensor:
            spikes: Tensor = self.spikes(self.linear(current.flatten(2)))
            return spikes

    classifier = rs.wrap(Parallel().eval(), coding=rs.codings.Direct(), num_steps=NUM_STEPS)
    assert find_sites(classifier) == []
    assert unreplaceable(classifier, images(dtype=torch.float32)) == ["atan"]
    counts = network("m", kind="ILIFNode", tau=2.0)
    assert find_sites(counts) == []
    usual = wrapped(network("m"), has_coding=False)
    assert len(find_sites(usual)) == 2
    assert unreplaceable(usual, images()) == []
