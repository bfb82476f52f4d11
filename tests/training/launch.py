"""Starting the command alone and in several processes, and killing it.

Importing torch and scikit-learn takes longer than most of what tests train. So ``ALONE`` and ``together``
are started by a process that has imported them and does nothing else but fork; ``torchrun`` starts
everything from nothing, as a user does.
"""

import contextlib
import importlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from rsc_snn.runs.files import read_rows

_FORKED = "forked"
NOTHING: Mapping[str, object] = {}
ALONE = (_FORKED, "1")
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "rsc_snn.cli.training",
        "rsc_snn.cli.attacking",
        "rsc_snn.evaluation.run",
        "rsc_snn.experiments.reproduce",
        "sklearn.datasets",
        "torch._dynamo",
    ]
)


def together(num_processes: int) -> tuple[str, ...]:
    """The words that start the command in several processes which find each other as under torchrun."""
    return (_FORKED, str(num_processes))


def torchrun(num_processes: int) -> tuple[str, ...]:
    """The words that start the module in several processes, on a free port."""
    agent = (sys.executable, "-m", "torch.distributed.run", "--standalone")
    return (*agent, "--nproc-per-node", str(num_processes), "-m", "rsc_snn")


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


def run(
    command: Sequence[str], *, status: int = 0, changes: Mapping[str, object] = NOTHING
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end; ``changes`` are new values of module.name in forked processes."""
    if command[0] == _FORKED:
        return _run_forked(int(command[1]), command[2:], status, changes)
    assert not changes, "only of forked processes"
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, err = process.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            kill_tree(process.pid)
            raise
    assert process.returncode == status, out + err
    return subprocess.CompletedProcess(command, status, out, err)


def _run_forked(
    size: int, arguments: Sequence[str], status: int, changes: Mapping[str, object]
) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        with _forked(size, arguments, str(out), str(err), changes) as processes:
            deadline = time.monotonic() + 150
            while (left := _running(processes)) and time.monotonic() < deadline:
                if len(left) < size and any(process.exitcode for process in processes):
                    deadline = min(deadline, time.monotonic() + 30)  # the others fail too, or wait forever
                wait([process.sentinel for process in left], deadline - time.monotonic())
            codes = {process.exitcode for process in processes}
        if None in codes and not codes - {
            0,
            None,
        }:  # torchrun ends what outlives a failed one
            raise subprocess.TimeoutExpired(list(arguments), 150, out.read_bytes(), err.read_bytes())
        done = subprocess.CompletedProcess(arguments, 0, out.read_text(), err.read_text())
    if codes != {0}:
        done.returncode = 1 if size > 1 else codes.pop() or -1  # torchrun's own is always 1
    assert done.returncode == status, f"{codes}: {done.stdout}{done.stderr}"
    return done


def _running(processes: Sequence[ForkServerProcess]) -> list[ForkServerProcess]:
    return [process for process in processes if process.exitcode is None]


@contextlib.contextmanager
def _forked(
    size: int, arguments: Sequence[str], out: str, err: str, changes: Mapping[str, object] = NOTHING
) -> Iterator[list[ForkServerProcess]]:
    """Start the command in ``size`` processes; at the end of the context none is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = environment()
    if size > 1:
        shared |= {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1"}
        shared |= {"MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": uuid.uuid4().hex}
    processes = []
    try:
        for rank in range(size):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank)} if size > 1 else {}
            work = (list(arguments), shared | own, out, err, dict(changes))
            processes.append(FORKS.Process(target=_work, args=work))
            processes[-1].start()
        yield processes
    finally:
        for process in _running(processes):
            kill_tree(process.pid or 0)
        for process in processes:
            process.join()


def _work(
    arguments: list[str], variables: dict[str, str], out: str, err: str, changes: dict[str, object]
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    for number, place in ((1, out), (2, err)):
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    import torch

    from rsc_snn.cli.app import main

    torch.set_num_threads(1)
    for name, value in changes.items():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute)
        setattr(importlib.import_module(module), attribute, value)
    sys.exit(main(arguments))


def run_and_kill(
    command: Sequence[str],
    is_time: Callable[[], bool],
    *,
    patience: float = 120,
    changes: Mapping[str, object] = NOTHING,
) -> bool:
    """Start the command and SIGKILL it, with its children, when ``is_time``; return whether it still ran."""
    deadline = time.monotonic() + patience
    if command[0] == _FORKED:
        size = int(command[1])
        with _forked(size, command[2:], os.devnull, os.devnull, changes) as processes:
            while not is_time() and len(_running(processes)) == size and time.monotonic() < deadline:
                time.sleep(0.002)
            return len(_running(processes)) == size
    assert not changes, "only of forked processes"
    with subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while not is_time() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        was_running = process.poll() is None
        kill_tree(process.pid)
    return was_running


def run_and_signal(
    command: Sequence[str], is_time: Callable[[], bool], number: signal.Signals
) -> "subprocess.CompletedProcess[str]":
    """Start the command, signal it when ``is_time``, and let it end; statuses other than 0 come back.

    What is not forked gets the signal alone, without its children; forked processes get it all, and twice
    where they are several: torchrun repeats what a terminal sends to everybody.
    """
    if command[0] == _FORKED:
        return _run_forked_and_signal(int(command[1]), command[2:], is_time, number)
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _wait_until(is_time)
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            kill_tree(process.pid)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _run_forked_and_signal(
    size: int, arguments: Sequence[str], is_time: Callable[[], bool], number: signal.Signals
) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        with _forked(size, arguments, str(out), str(err)) as processes:
            _wait_until(is_time)
            for process in processes * min(size, 2):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid or 0, number)
            for process in processes:
                process.join(60)
            codes = [process.exitcode for process in processes]
        told = out.read_text(), err.read_text()
    assert None not in codes, "it goes on"
    return subprocess.CompletedProcess(arguments, max(code or 0 for code in codes), *told)


def _wait_until(is_time: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 100
    while not is_time() and time.monotonic() < deadline:
        time.sleep(0.01)


def has_rows(path: Path) -> Callable[[], bool]:
    """Ask whether there is a complete row yet: the file is there a moment earlier."""
    return lambda: bool(read_rows(path))


def kill_tree(pid: int) -> None:
    """SIGKILL a process and all below it, deepest first: torchrun gives each worker a session of its own."""
    for found in (*descendants(pid), pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """All processes below one, deepest first."""
    return [found for child in _children(pid) for found in (*descendants(child), child)]


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += [int(child) for child in (folder / "children").read_text().split()]
        except OSError:
            continue
    return found
