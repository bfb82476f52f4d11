"""Sites: the layers of a network whose step functions can be replaced for the length of a pass.

A framework is one module here with ``find(module)``, which returns the site that a module is, or None.
"""

import contextlib
import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from torch import Tensor, nn

from rsc_snn.gradients.sites.base import AbstractSite, Place
from rsc_snn.gradients.sites.own import Drive, OwnSite

__all__ = ["AbstractSite", "Drive", "OwnSite", "Place", "driving", "find_sites", "firing"]


def find_sites(network: nn.Module) -> list[AbstractSite]:
    """Return the sites of a network, in the order of its modules; none for an ANN."""
    found = (find(module) for module in network.modules() for find in _finders())
    return [site for site in found if site is not None]


@contextlib.contextmanager
def firing(
    network: nn.Module, fire: Callable[[Tensor, Place], Tensor], *, detach_reset: bool = False
) -> Iterator[None]:
    """Let every site fire by ``fire`` during one pass, and restore the network whatever happens.

    Args:
        network: A classifier, or any module with sites.
        fire: Membrane minus threshold [B, ...] at a place -> spikes, with a derivative of its own.
        detach_reset: Whether the gradient ignores that a spike resets the membrane, where a site can.
    """
    with contextlib.ExitStack() as undone:
        for layer, site in enumerate(find_sites(network)):
            chosen = site.with_detached_reset() if detach_reset else site
            undone.callback(chosen.replace(_Counting(fire, layer)))
        yield


@contextlib.contextmanager
def driving(network: nn.Module, drive: Drive) -> Iterator[None]:
    """Let ``drive`` run every neuron of this library over time, and restore the network whatever happens.

    Args:
        network: A classifier whose sites are all of this library.
        drive: A neuron and its current [T, *N] -> spikes [T, *N], with a derivative of its own.
    """
    with contextlib.ExitStack() as undone:
        for site in find_sites(network):
            if isinstance(site, OwnSite):
                undone.callback(site.drive(drive))
        yield


class _Counting:
    """A spike function that knows which call of its layer it is in."""

    def __init__(self, fire: Callable[[Tensor, Place], Tensor], layer: int):
        self._fire, self._layer, self._num_calls = fire, layer, 0

    def __call__(self, u: Tensor) -> Tensor:
        place = Place(self._layer, self._num_calls)
        self._num_calls += 1
        return self._fire(u, place)


@functools.cache
def _finders() -> list[Callable[[nn.Module], AbstractSite | None]]:
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module.find for module in modules if hasattr(module, "find")]
