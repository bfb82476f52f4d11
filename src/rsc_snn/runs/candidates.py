"""candidates.safetensors: the images that won, so that anybody can score them again."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rsc_snn.runs.files import replace_file

_INDICES, _IMAGES = "indices", "images"


def list_name(row: dict[str, Any]) -> str:
    """Return the name of a row's list: suite/budget/seed/norm/eps."""
    return "/".join(str(row[name]) for name in ("suite", "budget", "seed", "norm", "eps"))


def keep_candidates(path: Path, name: str, indices: Tensor, images: Tensor) -> None:
    """Add images to a list, in the order of their indices; one that is there already is replaced.

    Args:
        path: The file, which is replaced as a whole.
        name: Of the list.
        indices: Of the images in their data set, [N].
        images: Pixels in [0, 1], [N, C, H, W].
    """
    from safetensors.torch import load_file, save_file

    tensors: dict[str, Tensor] = load_file(path) if path.is_file() else {}
    keys = f"{name}/{_INDICES}", f"{name}/{_IMAGES}"
    if keys[0] in tensors:
        is_kept = ~torch.isin(tensors[keys[0]], indices)
        indices = torch.cat([tensors[keys[0]][is_kept], indices])
        images = torch.cat([tensors[keys[1]][is_kept], images])
    order = indices.argsort()
    tensors |= {keys[0]: indices[order].contiguous(), keys[1]: images[order].contiguous()}
    replace_file(path, lambda temporary: save_file(tensors, temporary))


def read_candidates(path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Return (indices [N], images [N, C, H, W]) of each list, by its name (``list_name``)."""
    from safetensors.torch import load_file

    tensors = load_file(path)
    names = [key.removesuffix(f"/{_INDICES}") for key in tensors if key.endswith(f"/{_INDICES}")]
    return {name: (tensors[f"{name}/{_INDICES}"], tensors[f"{name}/{_IMAGES}"]) for name in names}
