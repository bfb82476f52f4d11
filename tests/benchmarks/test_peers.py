"""Networks and neurons of other libraries compute what ours do, and a deviation is found."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.benchmarks.backends import PLAIN
from rsc_snn.benchmarks.checking import require_same_outputs
from rsc_snn.benchmarks.mirror import mirrored
from rsc_snn.benchmarks.peers import AbstractPeer, peers
from rsc_snn.benchmarks.settling import settle
from rsc_snn.benchmarks.workload import Workload
from rsc_snn.errors import InputError
from tests.helpers import seeded

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),  # of their imports
]
PEERS = [pytest.param(peer, id=peer.name) for peer in peers()]
WITH_NETWORKS = [pytest.param(peer, id=peer.name) for peer in peers() if peer.has_networks]
NETWORKS = [
    rs.networks.VGG5(hidden_width=64, width_divisor=8),
    rs.networks.ResNet19(width_divisor=8),
    rs.networks.SEWResNet18(width_divisor=8),
]


def require_installed(peer: AbstractPeer) -> None:
    if peer.version is None:
        pytest.skip(f"{peer.name} is not installed")


def workload(network: rs.networks.AbstractNetwork) -> Workload:
    return Workload(network=network, batch_size=2, num_steps=4)


def current_of(work: Workload) -> Tensor:
    images, _ = work.batch(torch.device("cpu"), torch.float64)
    return rs.codings.RandomizedSmoothing(variance=0.1, resample_each_step=True).encode(
        images, work.num_steps, generator=seeded(3)
    )


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
@pytest.mark.parametrize("peer", WITH_NETWORKS)
def test_a_peers_network_gives_our_logits_in_both_modes(
    peer: AbstractPeer, network: rs.networks.AbstractNetwork
) -> None:
    require_installed(peer)
    work = workload(network)
    ours, theirs = work.spiking(PLAIN, torch.float64), mirrored(work.spiking(PLAIN, torch.float64), peer)
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    current = current_of(work)
    for is_training in (True, False):
        expected, found = (module.double().train(is_training)(current) for module in (ours, theirs))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
        assert float(expected.std(0).max()) > 0, "steps differ, so that neurons fire"
        for module in (ours, theirs):
            settle(module, current)
    assert not {id(p) for p in ours.parameters()} & {id(p) for p in theirs.parameters()}


def test_spikingjellys_gradients_are_ours() -> None:
    """Its surrogate is ours, and the reset is differentiated by both."""
    (peer,) = [peer for peer in peers() if peer.name == "SpikingJelly"]
    require_installed(peer)
    work = workload(NETWORKS[0])
    made = work.spiking(PLAIN, torch.float64), mirrored(work.spiking(PLAIN, torch.float64), peer).double()
    found = []
    for module in made:
        module.train()(current_of(work)).square().sum().backward()
        found.append([p.grad for p in module.parameters()])
    torch.testing.assert_close(found[1], found[0], rtol=1e-9, atol=1e-9)
    assert all(bool((gradient != 0).any()) for gradient in found[0] if gradient is not None)


@pytest.mark.parametrize("peer", PEERS)
def test_a_peers_neuron_gives_our_spikes(peer: AbstractPeer) -> None:
    require_installed(peer)
    for neuron in (rs.neurons.LIF(), rs.neurons.LIF(decay=0.75, threshold=0.5)):
        current = 0.4 + torch.randn(6, 3, 40, dtype=torch.float64, generator=seeded(0))
        layer = peer.neuron(neuron).double()
        for _ in range(2):
            peer.reset(layer)
            spikes = layer(peer.fed(current, neuron))
            assert torch.equal(spikes, neuron.over_time(current))
        assert 0.1 < float(spikes.mean()) < 0.9


def test_a_network_of_another_kind_is_refused() -> None:
    (peer,) = [peer for peer in peers() if peer.name == "snnTorch"]
    twin: Any = Workload(network=NETWORKS[0], batch_size=2, num_steps=2).twin(PLAIN)
    with pytest.raises(InputError, match="expected LIF neurons"):
        mirrored(twin.network, peer)


class Shifted(nn.Module):
    """Equal in train mode, and off by a little in eval mode."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, current: Tensor) -> Tensor:
        logits: Tensor = self.network(current)
        return logits if self.training else logits + 1e-6


def test_silent_networks_are_not_taken_for_equal() -> None:
    work = workload(NETWORKS[0])
    ours, other = (work.spiking(PLAIN, torch.float64) for _ in range(2))
    with torch.no_grad():
        for network in (ours, other):
            network.layers.features[0].conv.weight.zero_()  # type: ignore[union-attr, index]
    with pytest.raises(InputError, match="neurons fire in train mode, got one that is silent"):
        require_same_outputs("the same", ours, other, torch.zeros_like(current_of(work)))


def test_statistics_are_those_of_the_one_pass() -> None:
    norm = nn.BatchNorm2d(3)
    given = torch.randn(4, 3, 5, 5, generator=seeded(0))
    settle(norm, given)
    torch.testing.assert_close(norm.running_mean, given.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, given.var((0, 2, 3)))
    assert norm.momentum == 0.1


def test_a_deviation_in_one_mode_is_refused_with_its_size() -> None:
    work = workload(NETWORKS[0])
    ours, other = (work.spiking(PLAIN, torch.float64) for _ in range(2))
    require_same_outputs("the same", ours, other, current_of(work))
    with pytest.raises(InputError, match=r"difference of 1e-06 from Peer in eval mode; nothing was timed"):
        require_same_outputs("Peer", ours, Shifted(other), current_of(work))
    with pytest.raises(InputError, match="expected outputs of shape"):
        require_same_outputs("Peer", ours, nn.Sequential(other, nn.Flatten(1)), current_of(work))
