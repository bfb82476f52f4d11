"""Starting the command alone and under torchrun, and killing it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rsc_snn.runs.files import read_rows

ALONE = (sys.executable, "-m", "rsc_snn")


def together(num_processes: int) -> tuple[str, ...]:
    """The words that start the module in several processes, on a free port."""
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone")
    return (*torchrun, "--nproc-per-node", str(num_processes), "-m", "rsc_snn")


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


def run(command: Sequence[str], *, status: int = 0) -> "subprocess.CompletedProcess[str]":
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


def run_and_kill(command: Sequence[str], is_time: Callable[[], bool], *, patience: float = 120) -> bool:
    """Start the command and SIGKILL it, with its children, when ``is_time``; return whether it still ran."""
    with subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + patience
        while not is_time() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        was_running = process.poll() is None
        kill_tree(process.pid)
    return was_running


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
