"""Work in a process of its own, whose memory and compiled code nothing else has touched."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rsc_snn.benchmarks.settings import Settings
from rsc_snn.errors import BenchmarkError, InputError, OutOfMemoryError
from rsc_snn.runs.files import Row
from rsc_snn.spec import to_data

MODULE = "rsc_snn.benchmarks"
BAD_INPUT = 2


def alone(
    case: str, settings: Settings, task: Row | None = None, *, environment: Mapping[str, str] | None = None
) -> Any:
    """Run a case, or one task of it, and return what it found.

    Args:
        case: Its name.
        settings: Of the run.
        task: What ``AbstractCase.perform`` is given; None measures the whole case.
        environment: Variables that the process gets besides those of this one.

    Raises:
        InputError: the process says so, for example of a peer whose outputs are not ours.
        OutOfMemoryError, BenchmarkError: it was killed, or failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        request = json.dumps({"case": case, "settings": to_data(settings), "task": task})
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", MODULE, str(answer)],
            input=request,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        if done.returncode != 0:
            raise _failure(case, done.returncode, done.stderr)
        return json.loads(answer.read_text(encoding="utf-8"))


def _failure(case: str, status: int, said: str) -> Exception:
    last = (said.strip().splitlines() or ["without a word"])[-1]
    if status == BAD_INPUT:
        return InputError(last)
    if status == -signal.SIGKILL:
        return OutOfMemoryError(f"benchmark {case} was killed, mostly for want of memory; leave it out")
    return BenchmarkError(f"benchmark {case} failed in its process (status {status}): {last}")
