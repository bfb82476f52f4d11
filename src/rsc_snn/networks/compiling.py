"""Compiled kernels: whether they can be had, when they are worth it, and making them ahead."""

import shutil
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import nn

from rsc_snn.errors import InputError, NotCompiled
from rsc_snn.networks.backends import backend_of, set_backend
from rsc_snn.outofmemory import is_lack_of_memory
from rsc_snn.processes import current_group

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


def compile_kernels(module: nn.Module, trial: Callable[[], object], *, is_asked: bool) -> bool:
    """Let the neurons inside a module be computed by compiled kernels, and compile them now.

    It takes seconds to two minutes, and less where torch has compiled the same before: it keeps what it
    compiled in the folder ``TORCHINDUCTOR_CACHE_DIR``, by default one for temporary files. Batches of any
    size use the same kernels. Either all processes that have joined compute so afterwards, or none.

    Args:
        module: A network of this library, or a classifier with one.
        trial: Makes a pass of the kind that will come.
        is_asked: Whether nothing else will do.

    Returns:
        Whether it was done. Where it cannot be and nobody asked, the module is as it was, and a warning
        says so.

    Raises:
        InputError: they cannot be compiled here, and were asked for; the module is as it was.
    """
    before = backend_of(module)
    set_backend(module, "compiled")
    failure: Exception | None = None
    try:
        trial()
    except Exception as err:  # compilers fail in many ways
        failure = err
    if current_group().agree(int(failure is not None)) == [0]:
        return True
    set_backend(module, before or "eager")
    if failure is not None and (isinstance(failure, InputError) or is_lack_of_memory(failure)):
        raise failure
    reason = (str(failure or "in another process").strip().splitlines() or [type(failure).__name__])[0]
    told = f"the neurons cannot be compiled here ({reason})"
    if is_asked:
        advice = "mend the compiler, or take --compile off in a new run or with another --seed"
        raise InputError(f"{told}; {advice}") from failure
    warnings.warn(f"{told}; they are computed without, which takes longer", NotCompiled, stacklevel=2)
    return False
