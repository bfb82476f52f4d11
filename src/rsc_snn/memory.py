"""Keeping the memory of freed tensors in the process, which a CPU run needs again at the next step."""

import ctypes
import sys
from collections.abc import Callable

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_TOP_PAD = 64 * 2**20


def keep_freed_memory() -> None:
    """Tell glibc to reuse large blocks instead of returning them to the system after every operation.

    By default each tensor above 32 MiB is mapped afresh, and its pages are cleared one fault at a time,
    at every step. Does nothing on systems with another C library. For commands, not for the library: the
    setting holds for the whole process.
    """
    mallopt = _mallopt()
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)
        mallopt(_M_TOP_PAD, _TOP_PAD)


def _mallopt() -> Callable[[int, int], int] | None:
    """Glibc's function that sets an option of the allocator."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return None
