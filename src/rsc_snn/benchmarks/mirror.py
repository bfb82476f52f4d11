"""A network of ours built once more from the layers of another library, with copies of its weights."""

import copy
from collections.abc import Callable

from torch import Tensor, nn

from rsc_snn.benchmarks.peers import AbstractPeer
from rsc_snn.errors import InputError
from rsc_snn.networks import BuiltNetwork
from rsc_snn.networks.activation import Activation
from rsc_snn.networks.blocks import ConvBlock, LinearBlock, MaxPool, Pad, Pool
from rsc_snn.networks.stem import Stem
from rsc_snn.neurons import LIF


class PeerNetwork(nn.Module):
    """Current [T, B, C, H, W] -> logits [T, B, K], from rest at each call."""

    def __init__(self, layers: nn.Module, peer: AbstractPeer):
        super().__init__()
        self.layers, self._peer = layers, peer

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """Logits of every step."""
        self._peer.reset(self.layers)
        logits: Tensor = self.layers(current_TBCHW)
        return logits


def mirrored(network: BuiltNetwork, peer: AbstractPeer) -> PeerNetwork:
    """Return the network of the other library.

    Args:
        network: A VGG, ResNet-19 or SEW-ResNet-18 of LIF neurons; it shares nothing with the result.
        peer: The other library.

    Raises:
        InputError: the network has a layer that is not known here.
    """
    return PeerNetwork(_mirror(network.layers, peer), peer)


def _mirror(module: nn.Module, peer: AbstractPeer) -> nn.Module:
    """Dispatch by class, and for whole networks and residual blocks by the names of their parts."""
    for kind, rule in _RULES.items():
        if isinstance(module, kind):
            return rule(module, peer)
    parts = dict(module.named_children())
    for names, structure in _STRUCTURES.items():
        if set(names) <= parts.keys():
            return structure({name: _mirror(part, peer) for name, part in parts.items()})
    raise InputError(f"expected layers of rsc_snn.networks, got {type(module).__name__}; add it to mirror.py")


def _conv(block: ConvBlock, peer: AbstractPeer) -> nn.Module:
    current = peer.stateless(copy.deepcopy(block.conv), copy.deepcopy(block.norm))
    if not isinstance(block.activation, Activation):
        return current
    return nn.Sequential(current, _neuron(block.activation, peer))


def _linear(block: LinearBlock, peer: AbstractPeer) -> nn.Module:
    return nn.Sequential(peer.stateless(copy.deepcopy(block.linear)), _neuron(block.activation, peer))


def _neuron(activation: Activation, peer: AbstractPeer) -> nn.Module:
    if not isinstance(activation.neuron, LIF):
        raise InputError(f"expected LIF neurons, got {activation.neuron}; peers are compared with those only")
    return peer.neuron(activation.neuron)


def _stem(stem: Stem, peer: AbstractPeer) -> nn.Module:
    return nn.Sequential(*(_mirror(part, peer) for part in (stem.pad, stem.block, stem.pool)))


def _sequence(sequence: nn.Sequential, peer: AbstractPeer) -> nn.Module:
    return nn.Sequential(*(_mirror(part, peer) for part in sequence))


_RULES: dict[type[nn.Module], Callable[..., nn.Module]] = {
    ConvBlock: _conv,
    LinearBlock: _linear,
    Activation: _neuron,
    Stem: _stem,
    Pad: lambda pad, peer: copy.deepcopy(pad),
    Pool: lambda pool, peer: peer.stateless(nn.AvgPool2d(2)),
    MaxPool: lambda pool, peer: peer.stateless(nn.MaxPool2d(3, stride=2, padding=1)),
    nn.Linear: lambda linear, peer: peer.stateless(copy.deepcopy(linear)),
    nn.Identity: lambda identity, peer: nn.Identity(),
    nn.Sequential: _sequence,
}


class _Residual(nn.Module):
    """Two convolutions and a shortcut, added; a neuron after the sum where the original has one."""

    def __init__(self, parts: dict[str, nn.Module]):
        super().__init__()
        self.first, self.second, self.shortcut = (parts[name] for name in ("first", "second", "shortcut"))
        self.activation = parts.get("activation", nn.Identity())

    def forward(self, spikes_TBCHW: Tensor) -> Tensor:
        current = self.second(self.first(spikes_TBCHW)) + self.shortcut(spikes_TBCHW)
        activity: Tensor = self.activation(current)
        return activity


class _MeanOverSpace(nn.Module):
    def forward(self, activity_TBCHW: Tensor) -> Tensor:
        return activity_TBCHW.mean((3, 4))


def _vgg(parts: dict[str, nn.Module]) -> nn.Module:
    names = ("pad", "features", "hidden", "readout")
    pad, features, hidden, readout = (parts[name] for name in names)
    return nn.Sequential(pad, features, nn.Flatten(2), hidden, readout)


def _resnet(parts: dict[str, nn.Module]) -> nn.Module:
    hidden = parts.get("hidden", nn.Identity())
    return nn.Sequential(parts["stem"], parts["stages"], _MeanOverSpace(), hidden, parts["readout"])


_STRUCTURES: dict[tuple[str, ...], Callable[[dict[str, nn.Module]], nn.Module]] = {
    ("features", "hidden", "readout"): _vgg,
    ("stem", "stages", "readout"): _resnet,
    ("first", "second", "shortcut"): _Residual,
}
