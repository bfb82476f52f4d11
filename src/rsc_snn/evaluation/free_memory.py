"""How much memory is free on a device, for sizing work by it."""

from collections.abc import Iterator
from pathlib import Path

import torch

_ROOT = Path("/")
_NO_LIMIT = "max"


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that this process could still take; None where the system does not say.

    On a CUDA device what torch holds in reserve counts as free. Elsewhere it is the machine's memory, or what
    the container may still have.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free_of_system()


def free_of_system(root: Path = _ROOT) -> int | None:
    """Return the smaller of what Linux and the control group say is free, in bytes; None if neither does.

    Args:
        root: Folder that holds ``proc`` and ``sys``.
    """
    found = [*_of_machine(root / "proc" / "meminfo"), *_of_container(root / "sys" / "fs" / "cgroup")]
    return max(0, min(found)) if found else None


def _of_machine(path: Path) -> Iterator[int]:
    for name, value in _pairs(path):
        if name == "MemAvailable:":
            yield int(value) * 1024  # the file counts in KiB


def _of_container(folder: Path) -> Iterator[int]:
    """The limit without what is used; pages of files that can be dropped are not."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except OSError:
        return
    if limit != _NO_LIMIT:
        droppable = sum(
            int(value) for name, value in _pairs(folder / "memory.stat") if name == "inactive_file"
        )
        yield int(limit) - used + droppable


def _pairs(path: Path) -> list[tuple[str, str]]:
    """The first two words of each line; none if there is no such file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    words = (line.split() for line in lines)
    return [(found[0], found[1]) for found in words if len(found) >= 2]
