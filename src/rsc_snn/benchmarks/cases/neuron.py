"""A layer of neurons alone, forward and backward."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from rsc_snn.benchmarks.backends import PLAIN, backends
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.checking import EXACT, require_close
from rsc_snn.benchmarks.peers import AbstractPeer, installed_peers
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.timing import Side, measured
from rsc_snn.networks.activation import Activation
from rsc_snn.networks.backends import set_backend
from rsc_snn.neurons import LIF
from rsc_snn.rng import derived_generator
from rsc_snn.runs.files import Row

_SIZE, _QUICK_SIZE = (64, 128, 16, 16), (2, 4, 8, 8)
_NEURON = LIF()
Layer = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Neuron(AbstractCase):
    """LIF on the current of a middle layer, beside ReLU on as many numbers and the peers' neurons."""

    name: ClassVar[str] = "neuron"
    position: ClassVar[int] = 0

    def measure(self, settings: Settings) -> list[Row]:
        """Return rows for T = 4 and 8."""
        return [row for num_steps in (4, 8) for row in _rows(num_steps, settings)]


def _rows(num_steps: int, settings: Settings) -> list[Row]:
    shape = (num_steps, *(_QUICK_SIZE if settings.is_quick else _SIZE))
    sides = [
        *(
            Side(name="ours", backend=name, work=_work(_own(name, settings), shape, settings))
            for name in backends(settings)
        ),
        Side(name="ReLU", work=_work(torch.relu, shape, settings), is_checked=None),
        *(_peer_side(peer, shape, settings) for peer in installed_peers()),
    ]
    return measured(Neuron.name, {"current": list(shape), "dtype": "float32"}, sides, settings)


def _own(backend: str, settings: Settings) -> nn.Module:
    layer = Activation(_NEURON)
    set_backend(layer, backend)
    _require_same_spikes(f"backend {backend}", layer, lambda current: current, settings)
    return layer


def _peer_side(peer: AbstractPeer, shape: tuple[int, ...], settings: Settings) -> Side:
    _require_same_spikes(
        peer.name,
        _cell(peer).double().to(settings.place),
        lambda current: peer.fed(current, _NEURON),
        settings,
    )
    layer = _cell(peer).to(settings.place)
    current, slope = _current(shape, torch.float32, settings.place)
    fed = peer.fed(current, _NEURON).detach().requires_grad_()

    def from_rest(leaf: Tensor) -> Tensor:
        peer.reset(layer)
        spikes: Tensor = layer(leaf)
        return spikes

    return Side(name=peer.name, work=lambda: torch.autograd.grad(from_rest(fed), fed, slope))


def _cell(peer: AbstractPeer) -> nn.Module:
    return peer.neuron(_NEURON)


def _work(layer: Layer, shape: tuple[int, ...], settings: Settings) -> Callable[[], object]:
    current, slope = _current(shape, torch.float32, settings.place)
    return lambda: torch.autograd.grad(layer(current), current, slope)


def _current(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a normalised current, at which about one neuron of six fires, and a gradient of the spikes."""
    generator = derived_generator(0, "benchmark current")
    current, slope = (torch.randn(shape, generator=generator).to(device, dtype) for _ in range(2))
    return current.requires_grad_(), slope


def _require_same_spikes(name: str, layer: Layer, fed: Layer, settings: Settings) -> None:
    """Compare with the plain neuron in float64."""
    current, _ = _current((4, *_QUICK_SIZE), torch.float64, settings.place)
    plain = Activation(_NEURON)
    set_backend(plain, PLAIN)
    with torch.no_grad():
        require_close(name, layer(fed(current)), plain(current), tolerance=EXACT)
