"""candidates.safetensors: the images that won, so that anybody can score them again.

While a run goes on they are written batch by batch, each into a small file of the folder candidates.parts;
at its end these are joined. Parts that a killed run left behind are read as well, and joined by the next run.
"""

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rsc_snn.runs.files import replace_file

_INDICES, _IMAGES = "indices", "images"
_PARTS = ".parts"

Candidates = dict[str, tuple[Tensor, Tensor]]


def list_name(row: dict[str, Any]) -> str:
    """Return the name of a row's list: suite/budget/seed/norm/eps."""
    return "/".join(str(row[name]) for name in ("suite", "budget", "seed", "norm", "eps"))


def keep_candidates(path: Path, kept: Candidates) -> None:
    """Write images beside those that are there already, in a time that does not depend on how many these are.

    Args:
        path: The file that they will be in once ``join_candidates`` is called.
        kept: Of each list, by its name, indices of images in their data set [N] and pixels in [0, 1]
            [N, C, H, W].
    """
    folder = path.with_suffix(_PARTS)
    folder.mkdir(exist_ok=True)
    number = len(_parts(path))
    _write(folder / f"{number:08}.safetensors", kept)


def join_candidates(path: Path) -> None:
    """Put the parts that were written, if any, into the file, which is replaced as a whole."""
    folder = path.with_suffix(_PARTS)
    if not folder.is_dir():
        return
    if _parts(path):
        _write(path, read_candidates(path))
    shutil.rmtree(folder)


def read_candidates(path: Path) -> Candidates:
    """Return (indices [N], images [N, C, H, W]) of each list, by its name (``list_name``).

    They are in the order of their indices; of an image that was written twice the later one counts.
    """
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for file in [path, *_parts(path)] if path.is_file() else _parts(path) or [path]:
        for name, pair in _read(file).items():
            found.setdefault(name, []).append(pair)
    return {name: _joined(pairs) for name, pairs in found.items()}


def _parts(path: Path) -> list[Path]:
    return sorted(path.with_suffix(_PARTS).glob("*.safetensors"))


def _joined(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    indices, images = (torch.cat(tensors) for tensors in zip(*pairs, strict=True))
    last = {index: position for position, index in enumerate(indices.tolist())}
    rows = torch.tensor([last[index] for index in sorted(last)], dtype=torch.int64)
    return indices[rows], images[rows]


def _read(path: Path) -> Candidates:
    from safetensors.torch import load_file

    tensors = load_file(path)
    names = [key.removesuffix(f"/{_INDICES}") for key in tensors if key.endswith(f"/{_INDICES}")]
    return {name: (tensors[f"{name}/{_INDICES}"], tensors[f"{name}/{_IMAGES}"]) for name in names}


def _write(path: Path, kept: Candidates) -> None:
    from safetensors.torch import save_file

    tensors = {f"{name}/{_INDICES}": indices.contiguous() for name, (indices, _) in kept.items()}
    tensors |= {f"{name}/{_IMAGES}": images.contiguous() for name, (_, images) in kept.items()}
    replace_file(path, lambda temporary: save_file(tensors, temporary))
