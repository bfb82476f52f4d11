"""Compiled kernels: whether they can be had, when they are worth it, and making them ahead."""

import shutil
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import nn

from rsc_snn.errors import InputError
from rsc_snn.networks.backends import set_backend
from rsc_snn.outofmemory import is_lack_of_memory

_CHOICES = {"auto": None, "on": True, "off": False}
_COMPILERS = ("g++", "clang++", "cl")
_WORTH_COMPILING = 240.0  # seconds without it: twice what compiling takes on two slow cores


def asked_to_compile(choice: str) -> bool | None:
    """Return what "on", "off" or "auto" asks for; None leaves it open.

    Raises:
        InputError: it is none of them.
    """
    if choice not in _CHOICES:
        raise InputError(f"--compile takes {', '.join(_CHOICES)}, got {choice!r}")
    return _CHOICES[choice]


def choice_of(asked: bool | None) -> str:
    """Return the word for it."""
    return next(word for word, meaning in _CHOICES.items() if meaning is asked)


def can_compile(device: torch.device) -> bool:
    """Whether what torch compiles with is there: a C++ compiler for the CPU, Triton for a GPU."""
    if device.type == "cuda":
        return find_spec("triton") is not None
    return device.type == "cpu" and any(shutil.which(name) for name in _COMPILERS)


def is_worth_compiling(seconds: float, device: torch.device) -> bool:
    """Whether to compile for work that takes so many seconds without."""
    return can_compile(device) and seconds > _WORTH_COMPILING


def compile_kernels(module: nn.Module, trial: Callable[[], object]) -> None:
    """Let the neurons inside a module be computed by compiled kernels, and compile them now.

    It takes seconds to two minutes, and less where torch has compiled the same before: it keeps what it
    compiled in the folder ``TORCHINDUCTOR_CACHE_DIR``, by default one for temporary files. Batches of any
    size use the same kernels.

    Args:
        module: A network of this library, or a classifier with one.
        trial: Makes a pass of the kind that will come.

    Raises:
        InputError: they cannot be compiled here; the module is as it was before.
    """
    set_backend(module, "compiled")
    try:
        trial()
    except Exception as err:  # compilers fail in many ways
        set_backend(module, "eager")
        if isinstance(err, InputError) or is_lack_of_memory(err):
            raise
        reason = (str(err).strip().splitlines() or [type(err).__name__])[0]
        raise InputError(f"the neurons cannot be compiled here ({reason}); use --compile off") from err
