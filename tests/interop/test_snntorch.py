"""Networks made of snnTorch's neurons: state, parity with ours, replaced surrogates."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.gradients.sites import Place, find_sites, firing
from rsc_snn.gradients.sites.foreign import unreplaceable
from tests.interop.networks import (
    NUM_STEPS,
    FromImages,
    OverTime,
    StepByStep,
    graph_size,
    loss_and_gradient,
    ours,
)
from tests.interop.networks import images as double_images

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the library's imports
]
snn = pytest.importorskip("snntorch")
surrogate = pytest.importorskip("snntorch.surrogate")


def images() -> Tensor:
    """In float32, the type of snnTorch's spikes."""
    return double_images(dtype=torch.float32)


def network(kind: str = "Leaky", *, spike_grad: Any = None, **settings: Any) -> nn.Module:
    settings = {"beta": 0.5, "reset_mechanism": "zero", **settings}
    spike_grad = spike_grad or surrogate.atan(alpha=2.0)
    return StepByStep(
        OverTime(lambda: getattr(snn, kind)(spike_grad=spike_grad, init_hidden=True, **settings))
    )


class Explicit(nn.Module):
    """The membrane is passed in by hand, as in most tutorials."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.spikes = nn.Linear(6, 4), snn.Leaky(beta=0.5, spike_grad=surrogate.atan())
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        membrane, total = self.spikes.reset_mem(), torch.zeros(())
        for _ in range(NUM_STEPS):
            _, membrane = self.spikes(2 * self.linear(images.flatten(1)), membrane)
            total = total + membrane
        return total


def membranes(module: nn.Module) -> list[Tensor]:
    return [part.mem for part in module.modules() if isinstance(part, snn.SpikingNeuron)]


def test_state_drifts_without_a_reset_and_never_when_wrapped() -> None:
    bare = FromImages(network())
    logits = [bare(images().requires_grad_()) for _ in range(3)]
    assert not torch.equal(logits[0], logits[1])
    sizes = [graph_size(call) for call in logits]
    assert sizes[0] < sizes[1] < sizes[2], "the graph of every earlier call is kept"

    classifier = rs.wrap(FromImages(network()))
    calls = [classifier(images().requires_grad_()) for _ in range(3)]
    torch.testing.assert_close(calls, [logits[0]] * 3, rtol=0, atol=0)
    assert len({graph_size(call) for call in calls}) == 1
    assert not any(membrane.requires_grad for membrane in membranes(classifier))


def test_membranes_passed_by_hand_leave_no_graph_behind() -> None:
    classifier = rs.wrap(Explicit())
    classifier(images().requires_grad_())
    assert not any(membrane.requires_grad for membrane in membranes(classifier))


def test_other_networks_of_the_process_are_left_alone() -> None:
    other = network()
    other(images().expand(NUM_STEPS, 5, 1, 2, 3))
    before = [membrane.clone() for membrane in membranes(other)]
    rs.wrap(FromImages(network()))(images())
    assert any(bool((membrane != 0).any()) for membrane in before)
    torch.testing.assert_close(membranes(other), before, rtol=0, atol=0)


def test_logits_and_gradient_equal_our_network() -> None:
    """A reset to zero at the next step is Eq. 1, with the reset left out of the gradient."""
    lif = rs.neurons.LIF(decay=0.5, surrogate=rs.neurons.Arctan(alpha=2.0), detach_reset=True)
    expected = ours(lif, dtype=torch.float32)
    classifier = rs.wrap(network(), coding=rs.codings.Direct(), num_steps=NUM_STEPS)
    torch.testing.assert_close(classifier(images()), expected(images()))
    torch.testing.assert_close(loss_and_gradient(classifier, images()), loss_and_gradient(expected, images()))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Leaky", {}),
        ("Leaky", {"reset_mechanism": "subtract"}),
        ("Leaky", {"reset_delay": False}),
        ("Lapicque", {}),
        ("Synaptic", {"alpha": 0.6}),
        ("Alpha", {"alpha": 0.9, "beta": 0.8}),
        ("RLeaky", {"all_to_all": False, "V": 0.5}),
    ],
    ids=repr,
)
def test_a_replaced_surrogate_equals_one_that_was_built_in(kind: str, settings: dict[str, Any]) -> None:
    made = [
        rs.wrap(network(kind, spike_grad=function, **settings), coding=rs.codings.Direct(), num_steps=4)
        for function in (surrogate.fast_sigmoid(slope=25), surrogate.atan(alpha=2.0))
    ]
    arctan, places = rs.neurons.Arctan(alpha=2.0), list[Place]()

    def fire(u: Tensor, place: Place) -> Tensor:
        places.append(place)
        return arctan(u)

    assert len(find_sites(made[0])) == 2
    before = loss_and_gradient(made[0], images())
    with firing(made[0], fire):
        loss, gradient = loss_and_gradient(made[0], images())
    torch.testing.assert_close((loss, gradient), loss_and_gradient(made[1], images()))
    assert float(loss) == float(before[0]), "the spikes stay as they are"
    assert not torch.equal(gradient, before[1])
    assert len(places) == 2 * NUM_STEPS, "the call for the reset is not counted"
    assert {(place.layer, place.step) for place in places} == {(k, t) for k in (0, 1) for t in range(4)}
    torch.testing.assert_close(loss_and_gradient(made[0], images()), before, rtol=0, atol=0)


def test_spikes_exactly_at_the_threshold_stay_as_they_are() -> None:
    """snnTorch fires above the threshold, this library at it."""
    leaky = snn.Leaky(beta=0.5, init_hidden=True)
    with firing(leaky, lambda u, place: rs.neurons.Triangle()(u)):
        spikes = leaky(torch.tensor([[1.0, 1.5]]))
    assert spikes.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("is_module", [True, False])
def test_the_same_object_is_back_after_an_error(is_module: bool) -> None:
    class Spike(nn.Module):
        def forward(self, u: Tensor) -> Tensor:
            return (u > 0).to(u.dtype)

    leaky = snn.Leaky(beta=0.5, init_hidden=True, spike_grad=Spike() if is_module else surrogate.atan())
    before, keys = leaky.spike_grad, sorted(vars(leaky))

    def fail(u: Tensor, place: Place) -> Tensor:
        raise ArithmeticError

    with pytest.raises(ArithmeticError), firing(leaky, fail):
        leaky(torch.ones(2, 3))
    assert leaky.spike_grad is before
    assert sorted(set(vars(leaky)) - {"reset"}) == keys  # the neuron keeps its last reset


def test_neurons_without_steps_are_no_sites_and_are_named() -> None:
    class Parallel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.spikes = snn.LeakyParallel(6, 4)

        def forward(self, current: Tensor) -> Tensor:
            spikes: Tensor = self.spikes(current.flatten(2))
            return spikes

    classifier = rs.wrap(Parallel().eval(), coding=rs.codings.Direct(), num_steps=NUM_STEPS)
    assert find_sites(classifier) == []
    assert unreplaceable(classifier, images()) == ["ATan"]
    assert unreplaceable(rs.wrap(FromImages(network())), images()) == []
