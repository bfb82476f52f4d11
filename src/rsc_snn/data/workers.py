"""Processes that decode images: how many, that none outlives its stream, and how the death of one is told."""

import contextlib
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import TypeVar

from torch.utils.data import DataLoader

from rsc_snn.errors import InputError

_MOST_WORKERS = 16
_PATIENCE = 5.0  # seconds

Part = TypeVar("Part")


def default_num_workers(num_processes: int = 1) -> int:
    """Return how many processes may decode for each of ``num_processes``: its share of the cores, <= 16."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        cores = os.cpu_count() or 1
    return max(1, min(_MOST_WORKERS, cores // num_processes))


@contextlib.contextmanager
def worker_deaths_told() -> Iterator[None]:
    """Tell in one line that a worker of a stream was killed; torch says so wherever the main thread is.

    Raises:
        InputError: instead of torch's RuntimeError, if a worker dies inside.
    """
    try:
        yield
    except RuntimeError as err:
        if "DataLoader worker (pid" not in str(err):
            raise
        raise InputError(
            f"a process that decodes images died ({' '.join(str(err).split())}); use fewer of them, or, in a "
            "container, enlarge /dev/shm"
        ) from err


def received(loader: DataLoader[Part]) -> Generator[Part, None, None]:
    """Yield what the workers of ``loader`` send; none of them is left afterwards, or when Python exits.

    They ignore the signal by which torch and multiprocessing would end them, and would be waited for forever.
    """
    with worker_deaths_told():
        iterator = iter(loader)
        workers = getattr(iterator, "_workers", ())
        # runs once: here, or at exit before multiprocessing waits for its processes
        kill = Finalize(iterator, _kill, (workers,), exitpriority=1)
        try:
            yield from iterator
        finally:
            del iterator  # torch asks them to stop
            kill()


def leave_signals(worker: int) -> None:
    """Ignore what asks the command to stop: it reaches every process, and the main one decides."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _kill(workers: Sequence[BaseProcess]) -> None:
    for worker in [*workers, *workers]:  # again, for torch's word of one death may come before the next kill
        with contextlib.suppress(RuntimeError):
            worker.kill()
            worker.join(_PATIENCE)
