"""What a run was made with: code, versions, device, precision, command line."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from rsc_snn.runs.files import read_environments, replace_text

_PACKAGES = ("rsc-snn", "torch", "numpy", "scipy", "scikit-learn", "datasets", "safetensors")


def describe_environment(device: torch.device, **facts: Any) -> dict[str, Any]:
    """Return versions, hardware and settings as plain data, with ``facts`` such as the seed."""
    return {
        **facts,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name.replace("__main__.py", "rsc-snn"), *sys.argv[1:]],
        "source": describe_source(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": describe_device(device),
        "precision": _precision(),
    }


def describe_device(device: torch.device) -> dict[str, Any]:
    """Return type and name of the device that computes, with the threads of a CPU."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        return {"type": "cuda", "name": name, "cuda": torch.version.cuda}
    name = _processor_name() if device.type == "cpu" else device.type
    return {"type": device.type, "name": name, "threads": torch.get_num_threads()}


def describe_source() -> dict[str, Any]:
    """Return the commit of the checkout that the package runs from, or None where it is installed."""
    folder = Path(__file__).resolve().parent
    commit = _git(folder, "rev-parse", "HEAD")
    is_tracked = commit is not None and _git(folder, "ls-files", "--error-unmatch", __file__) is not None
    if not is_tracked:
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain", "-uno"))}


def write_environment(path: Path, entry: dict[str, Any]) -> None:
    """Append ``entry`` to the list in environment.json: one entry per process that worked on the run."""
    replace_text(path, json.dumps([*read_environments(path), entry], indent=1) + "\n")


def amend_environment(path: Path, facts: dict[str, Any]) -> None:
    """Add facts to the last entry of environment.json."""
    *earlier, last = read_environments(path)
    replace_text(path, json.dumps([*earlier, {**last, **facts}], indent=1) + "\n")


def _precision() -> dict[str, Any]:
    try:
        matmul = torch.get_float32_matmul_precision()
        convolution = "tf32" if torch.backends.cudnn.allow_tf32 else "ieee"
    except RuntimeError:  # the process has set it through torch's newer interface
        matmul = torch.backends.cuda.matmul.fp32_precision
        convolution = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    return {
        "float32_matmul": matmul,
        "float32_convolution_on_cuda": convolution,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({os.cpu_count()} cores)" if names else platform.machine()
