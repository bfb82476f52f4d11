"""Compiling a network that only answers, for passes of one size."""

import shutil
from collections.abc import Callable
from importlib.util import find_spec

import torch

from rsc_snn.errors import InputError
from rsc_snn.networks.base import BuiltNetwork

_COMPILERS = ("g++", "clang++", "cl")


def can_compile(device: torch.device) -> bool:
    """Whether what torch compiles with is there: a C++ compiler for the CPU, Triton for a GPU."""
    if device.type == "cuda":
        return find_spec("triton") is not None
    return any(shutil.which(name) for name in _COMPILERS)


@torch.no_grad()
def compile_network(network: BuiltNetwork, trial: Callable[[], object]) -> None:
    """Compile a network in place.

    It takes seconds to minutes, and less where torch has compiled the same before.

    Args:
        network: In eval mode.
        trial: Passes a current through it, of the shape of all that will come: others compile it again.

    Raises:
        InputError: it cannot be compiled here.
    """
    network.compile(dynamic=False)
    try:
        trial()
    except torch.OutOfMemoryError:
        raise
    except Exception as err:  # compilers fail in many ways
        reason = (str(err).strip().splitlines() or [type(err).__name__])[0]
        raise InputError(
            f"the network cannot be compiled here ({reason}); use --compile off, and another --seed beside "
            "rows of a compiled one"
        ) from err
