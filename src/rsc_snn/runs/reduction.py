"""Reduced weights: matrices and kernels in half precision, everything else as it was.

A reduced run is a run folder like any other, and loads in float32. It is another network than the run it came
from, with answers that differ a little: its numbers have to be measured again.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs.environment import describe_environment
from rsc_snn.runs.files import read_environments, replace_text
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.specification import require_schema
from rsc_snn.runs.storage import load, read_weights, write_weights

FACT = "reduced"  # the key of environment.json by which a reduced run is known
_HALF = torch.float16
_SMALLEST = torch.finfo(_HALF).smallest_normal


def reduce_run(run: str | Path, out: str | Path) -> None:
    """Write a finished run with reduced weights into another folder, without rows of attacks or certificates.

    Args:
        run: Folder of the run.
        out: Folder to make; it must not hold a run yet.

    Raises:
        RunFolderError: ``run`` is not finished, damaged or reduced already; ``out`` holds a run.
        InputError: a weight is too large or too small for half precision.
    """
    source, target = RunFolder(Path(run)), RunFolder(Path(out))
    if target.exists():
        raise RunFolderError(f"{str(target.path)!r} already holds a run; choose another folder")
    load(source.path)  # its weights are whole, and fit its run.yaml
    if is_reduced(source):
        raise RunFolderError(f"{str(source.path)!r} is reduced already; give the run that was trained")
    weights = reduced(read_weights(source))
    spec = without_places(require_schema(source.read_spec(), source))
    entries = without_places(read_environments(source.environment))
    fact = {FACT: {"dtype": "float16", "tensors": sum(each.dtype == _HALF for each in weights.values())}}
    command = ["python", "-m", "rsc_snn.zoo", "reduce", str(run), str(out)]
    entries.append(without_places({**describe_environment(torch.device("cpu"), **fact), "command": command}))
    with target.locked():
        write_weights(target, weights)
        if source.training.is_file():
            replace_text(target.training, source.training.read_text(encoding="utf-8"))
        replace_text(target.environment, json.dumps(entries, indent=1) + "\n")
        target.write_spec(spec)


def is_reduced(folder: RunFolder) -> bool:
    """Whether a run came out of ``reduce_run``, so that it can be used but not trained on."""
    return any(FACT in entry for entry in read_environments(folder.environment))


def reduced(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of floats with two axes or more in float16, others of floats in float32.

    Biases and the means and variances of a normalisation have one axis: they are few, and a variance may lie
    outside the range of half precision.

    Raises:
        InputError: a matrix or kernel has a value beyond 65504, or holds nothing above 6e-5 but zeros.
    """
    return {name: _reduced(name, tensor) for name, tensor in tensors.items()}


def _reduced(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    if tensor.dim() < 2:
        return tensor.float()
    half = tensor.to(_HALF)
    largest = float(tensor.abs().max()) if tensor.numel() else 0.0
    if not bool(torch.isfinite(half).all()) or 0 < largest < _SMALLEST:
        raise InputError(
            f"{name} has a largest weight of {largest:.3g}, expected between {_SMALLEST:.1g} and "
            f"{torch.finfo(_HALF).max:g}, the range of half precision; leave this run as it is"
        )
    return half


def without_places(value: Any) -> Any:
    """Return plain data without paths of this machine: a data folder is DIR, others are their last part."""
    if isinstance(value, dict):
        return {key: without_places(inner) for key, inner in value.items()}
    if isinstance(value, list):
        pairs = zip([None, *value], value, strict=False)
        return ["DIR" if before == "--data-root" else without_places(inner) for before, inner in pairs]
    return _without_place(value) if isinstance(value, str) else value


def _without_place(text: str) -> str:
    option, equals, given = text.partition("=")
    if equals and option.startswith("--"):
        return f"{option}={'DIR' if option == '--data-root' else _without_place(given)}"
    return Path(text).name if Path(text).is_absolute() else text
