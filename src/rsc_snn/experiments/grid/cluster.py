"""Cells on a Ray cluster, local or remote, one device a cell. Needs the extra ``cluster``."""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch

from rsc_snn.errors import InputError
from rsc_snn.experiments.cells import AbstractCell, Place
from rsc_snn.experiments.cells.base import say_nothing
from rsc_snn.experiments.grid.base import AbstractGrid, Watcher
from rsc_snn.experiments.grid.outcome import Outcome, attempted, not_tried, with_threads
from rsc_snn.experiments.plan import prerequisites, trainings_of
from rsc_snn.interruption import EXIT_STATUS

LOCAL = "local"
_SECONDS_TO_ANSWER = 10
_ATTEMPTS = 2


@dataclass(frozen=True)
class RayGrid(AbstractGrid):
    """Gives every cell to the cluster at once; Ray starts it when what it waits for has ended.

    Machines of the cluster must have this package, the same folder DIR and the same data root, at the same
    paths. A cell gets one GPU where the device is CUDA, else as many processors as torch has threads here.

    Args:
        address: "local" starts a cluster on this machine and ends it; else an address that Ray knows, such
            as auto, 10.0.0.1:6379 or ray://10.0.0.1:10001.
    """

    address: str

    def run(self, cells: Sequence[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:
        """Compute every cell; outcomes come in the order in which cells end."""
        with _connected(self.address) as ray:
            away = replace(place, tell=say_nothing, folder=place.folder.resolve())
            _require_shared_folder(ray, away.folder)
            yield from _run(ray, cells, away, watcher)


def _run(ray: Any, cells: Sequence[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:
    threads = torch.get_num_threads()
    device = {"num_gpus": 1} if place.device.startswith("cuda") else {"num_cpus": threads}
    _require_room(ray, device)
    remote = ray.remote(max_retries=_ATTEMPTS - 1, **device)(_computed)
    waits, ended = prerequisites(cells), dict[str, Outcome]()
    left, running = list(cells), dict[Any, AbstractCell]()
    while left or running:
        for cell in [cell for cell in left if all(key in ended for key in waits[cell.key])]:
            left.remove(cell)
            failed = (ended[key] for key in trainings_of(cell) if key in ended)
            reason = next((outcome.reason for outcome in failed if not outcome.is_done), None)
            if reason is not None:
                ended[cell.key] = not_tried(cell, place, f"its network failed ({reason})")
                yield ended[cell.key]
                continue
            watcher.begun(cell)
            running[remote.remote(cell, place, threads)] = cell
        if not running:
            continue
        ready, _ = ray.wait(list(running), num_returns=1)
        cell = running.pop(ready[0])
        try:
            outcome = ray.get(ready[0])
        except ray.exceptions.RayError as err:  # the process or the machine is gone, and so was the next one
            outcome = not_tried(cell, place, f"{type(err).__name__}: {' '.join(str(err).split())}")
            outcome = replace(outcome, attempts=_ATTEMPTS)
        ended[cell.key] = outcome
        yield outcome


def _computed(cell: AbstractCell, place: Place, threads: int) -> Outcome:
    """In a process of the cluster: compute a cell with as many threads as a serial run would."""
    with_threads(threads)
    return attempted(cell, place)


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        with _own_handlers():
            import ray
    except ImportError as err:
        raise InputError("--ray needs Ray, which is not installed; pip install 'rsc-snn[cluster]'") from err
    options: dict[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
    try:
        _require_answer(address)
        with _own_handlers():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (Exception, SystemExit) as err:  # Ray ends the process where the cluster does not answer
        raise InputError(
            f"no Ray cluster at {address!r}: {' '.join(str(err).split())}; give --ray local to start one here"
        ) from err
    try:
        yield ray
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _own_handlers() -> Iterator[None]:
    """Keep the handlers of SIGINT and SIGTERM, which Ray replaces by its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in EXIT_STATUS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _require_answer(address: str) -> None:
    """Raise OSError unless something listens at HOST:PORT; Ray itself would wait for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_SECONDS_TO_ANSWER).close()


def _require_shared_folder(ray: Any, folder: Path) -> None:
    """Raise InputError unless what a machine of the cluster writes is seen here."""
    probe = folder / f".seen-{uuid4().hex}"
    try:
        ray.get(ray.remote(num_cpus=0)(_touch).remote(probe))
        is_shared = probe.exists()
    except ray.exceptions.RayTaskError:
        is_shared = False
    probe.unlink(missing_ok=True)
    if not is_shared:
        raise InputError(
            f"the cluster does not see {str(folder)!r}; give --out a folder that all its machines share"
        )


def _require_room(ray: Any, needed: dict[str, int]) -> None:
    """Raise InputError unless one machine can hold a cell; Ray would wait for one for ever."""
    name, number = next((name.removeprefix("num_").upper()[:3], number) for name, number in needed.items())
    largest = max((node["Resources"].get(name, 0) for node in ray.nodes() if node["Alive"]), default=0)
    if largest < number:
        raise InputError(
            f"a cell needs {number} {name}, and no machine of the cluster has more than {largest:g}; start "
            "Ray with more, or set OMP_NUM_THREADS (or --device) to what its machines have"
        )


def _touch(path: Path) -> None:
    path.touch()
