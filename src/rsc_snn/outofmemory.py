"""Running out of memory, told as what to try next."""

import contextlib
from collections.abc import Iterator

import torch

from rsc_snn.errors import OutOfMemoryError

_SIGNS = ("out of memory", "not enough memory", "can't allocate memory")


@contextlib.contextmanager
def memory_told(what: str, advice: str) -> Iterator[None]:
    """Turn what torch raises for lack of memory into OutOfMemoryError.

    Args:
        what: What needed the memory: "64 images in a pass".
        advice: What to try: "--batch-size 32".
    """
    try:
        yield
    except (RuntimeError, MemoryError) as err:
        if isinstance(err, OutOfMemoryError) or not is_lack_of_memory(err):
            raise
        raise OutOfMemoryError(f"out of memory with {what}; try {advice}") from err


def is_lack_of_memory(err: BaseException) -> bool:
    """Whether torch or Python raised ``err`` because memory ran out."""
    is_typed = isinstance(err, MemoryError | torch.OutOfMemoryError)
    return is_typed or any(sign in str(err).lower() for sign in _SIGNS)
