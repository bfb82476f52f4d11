"""Resets: how the modules of each framework are put back to rest.

A framework whose modules keep state between calls is one module here with ``find(module)``, which returns
what puts that module (not its children) to rest, or None. No framework is imported.
"""

import contextlib
import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from torch import nn

from rsc_snn.interop.resets.base import Reset

__all__ = ["Reset", "find_resets", "rested"]


def find_resets(network: nn.Module) -> list[Reset]:
    """Return what puts the modules of a network to rest, in the order of its modules."""
    found = (find(module) for module in network.modules() for find in _finders())
    return [reset for reset in found if reset is not None]


@contextlib.contextmanager
def rested(network: nn.Module) -> Iterator[None]:
    """Put a network to rest before a call, and after it whatever happens, so that no graph stays behind."""
    resets = find_resets(network)
    for reset in resets:
        reset()
    try:
        yield
    finally:
        for reset in resets:
            reset()


@functools.cache
def _finders() -> list[Callable[[nn.Module], Reset | None]]:
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module.find for module in modules if hasattr(module, "find")]
