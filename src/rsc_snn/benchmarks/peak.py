"""Most memory that a piece of work holds at once, beyond what was held before it."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

import torch

_STATUS, _MARKS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_BEGIN_ANEW = "5"


def peak_of(work: Callable[[], object], device: torch.device) -> int | None:
    """Run ``work`` once and return the bytes; None where the system does not tell.

    On a CPU it is the memory of the process (Linux only), so that the process should be fresh and return
    freed memory to the system; on a GPU that of torch's allocator.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        work()
        return torch.cuda.max_memory_allocated(device) - held
    if device.type != "cpu" or not _MARKS.exists():
        return None
    _return_freed_memory()
    _MARKS.write_text(_BEGIN_ANEW)
    held = _high_water()
    work()
    return _high_water() - held


def _return_freed_memory() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _high_water() -> int:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
