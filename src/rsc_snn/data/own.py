"""What specs of a user's own data share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from rsc_snn.data.base import AbstractDataset
from rsc_snn.errors import DTypeError, InputError, RangeError


def find_path(path: str, root: Path | None) -> Path:
    """Return ``path`` if it is there, else ``root / path``.

    Raises:
        InputError: neither is there.
    """
    direct = Path(path).expanduser()
    for place in [direct] if root is None else [direct, root / path]:
        if place.exists():
            return place
    where = f"the current folder ({str(Path.cwd())!r})" + ("" if root is None else f" or {str(root)!r}")
    raise InputError(f"no {path!r} in {where}; give the path of the data, --set data.path=PATH")


def tensor_pair(pair: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """Return images and labels that came as one argument.

    Raises:
        InputError: they are not two, or not tensors.
    """
    if len(pair) != 2:
        raise InputError(f"data in memory is a pair (images, labels), got {len(pair)} in place of 2")
    for name, value in zip(("images", "labels"), pair, strict=True):
        if not isinstance(value, Tensor):
            raise DTypeError(
                f"{name} must be a torch.Tensor, got {type(value).__module__}.{type(value).__name__}; "
                f"convert a numpy array by torch.from_numpy({name}), a list by torch.tensor({name})"
            )
    images, labels = pair
    return images, labels


def require_normalisation(dataset: AbstractDataset) -> None:
    """Raise unless classes and normalisation of a spec have a meaning."""
    if dataset.num_classes < 2:
        raise RangeError(f"num_classes must be at least 2, got {dataset.num_classes}")
    channels = dataset.image_shape[0]
    for name, values in (("mean", dataset.mean), ("std", dataset.std)):
        if len(values) not in (1, channels):
            raise RangeError(f"{name} must hold 1 or {channels} numbers, one per channel, got {len(values)}")
    if not all(value > 0 for value in dataset.std):
        raise RangeError(f"std must be > 0 in every channel, got {dataset.std}")
