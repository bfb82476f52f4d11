"""Data sets: images in memory as bytes. A new data set is one new module in this folder."""

import os
from pathlib import Path

from rsc_snn.data.base import SPLITS, AbstractDataset, ImageSet, Split, to_pixels
from rsc_snn.data.cifar10 import Cifar10
from rsc_snn.data.cifar100 import Cifar100
from rsc_snn.data.digits import Digits
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.registry import discover

__all__ = [
    "AbstractDataset",
    "Cifar10",
    "Cifar100",
    "Digits",
    "ImageSet",
    "Split",
    "by_name",
    "data_root",
    "load",
    "to_pixels",
]

globals().update(_DATASETS := discover(__name__, __path__, AbstractDataset))


def load(name: str | AbstractDataset, root: str | Path | None = None, split: Split = "test") -> ImageSet:
    """Load a split into memory.

    Args:
        name: "digits", "cifar10", "cifar100", or a data set spec.
        root: Folder whose subfolders are named after the data sets; None takes RSC_SNN_DATA, and
            downloads from the hub if that is not set either.
        split: "train" (all of it; ``ImageSet.carve`` splits off a validation set) or "test".

    Returns:
        ``.images`` uint8 [N, C, H, W], ``.labels`` int64 [N], ``.classes``.

    Raises:
        InputError: the name, split or folder does not exist, or cannot be read.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", str(split), SPLITS)
    dataset = by_name(name) if isinstance(name, str) else name
    return dataset.load(split, data_root(root))


def by_name(name: str) -> AbstractDataset:
    """Return the data set called ``name``, with its default settings."""
    known = {cls.name: cls for cls in _DATASETS.values()}
    if name not in known:
        raise UnknownNameError("data set", name, known)
    return known[name]()


def data_root(root: str | Path | None = None) -> Path | None:
    """Return the data root in force: ``root``, else RSC_SNN_DATA, else None (the hub).

    Raises:
        InputError: it is named, but is not a folder.
    """
    chosen = root or os.environ.get("RSC_SNN_DATA")
    if not chosen:
        return None
    path = Path(chosen).expanduser()
    if not path.is_dir():
        source = "--data-root" if root else "RSC_SNN_DATA"
        raise InputError(
            f"the data root {str(path)!r} ({source}) is not a folder; "
            "name a folder whose subfolders are called after the data sets, or leave it away to download"
        )
    return path
