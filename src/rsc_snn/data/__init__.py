"""Data sets: images in memory as bytes, or in files. A new data set is one new module in this folder."""

import os
from pathlib import Path
from typing import Any

from rsc_snn.data.base import (
    SPLITS,
    AbstractDataset,
    AbstractImageSet,
    Augmentation,
    ImageSet,
    Split,
    to_pixels,
)
from rsc_snn.data.cifar10 import Cifar10
from rsc_snn.data.cifar100 import Cifar100
from rsc_snn.data.digits import Digits
from rsc_snn.data.fashion_mnist import FashionMnist
from rsc_snn.data.fileset import FileSet
from rsc_snn.data.image_folder import ImageFolder
from rsc_snn.data.image_net import ImageNet
from rsc_snn.data.own import tensor_pair
from rsc_snn.data.tensor_file import TensorFile, image_set, save_tensors
from rsc_snn.data.tiny_image_net import TinyImageNet
from rsc_snn.data.workers import default_num_workers, worker_deaths_told
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.registry import discover
from rsc_snn.spec import required_fields

__all__ = [
    "AbstractDataset",
    "AbstractImageSet",
    "Augmentation",
    "Cifar10",
    "Cifar100",
    "Digits",
    "FashionMnist",
    "FileSet",
    "ImageFolder",
    "ImageNet",
    "ImageSet",
    "Split",
    "TensorFile",
    "TinyImageNet",
    "by_name",
    "by_reference",
    "data_root",
    "default_num_workers",
    "load",
    "names",
    "save_tensors",
    "to_pixels",
    "worker_deaths_told",
]

globals().update(_DATASETS := discover(__name__, __path__, AbstractDataset))

Reference = str | Path | AbstractDataset


def load(
    name: Reference | tuple[Any, ...] | list[Any], root: str | Path | None = None, split: Split = "test"
) -> AbstractImageSet:
    """Load a split: into memory, or, of data sets in files, as a list of what is decoded when needed.

    Args:
        name: A name such as "cifar10" (see ``names``), a data set spec, a folder of class folders, a file of
            ``save_tensors``, or a pair of tensors, images uint8 [N, C, H, W] and labels int64 [N], which
            has no splits.
        root: Folder whose subfolders are named after the data sets; None takes RSC_SNN_DATA, and
            downloads from the hub if that is not set either.
        split: "train" (all of it; ``carve`` splits off a validation set) or "test".

    Returns:
        ``.images`` uint8 [N, C, H, W], ``.labels`` int64 [N], ``.classes``. Of a data set in files,
        ``.images`` decodes everything at each access; ``.at(positions).fetch()`` decodes a part.

    Raises:
        InputError: the name, split or folder does not exist, or cannot be read.
    """
    if split not in SPLITS:
        raise UnknownNameError("split", str(split), SPLITS)
    if isinstance(name, tuple | list):
        return image_set(*tensor_pair(name))
    return by_reference(name).load(split, data_root(root))


def by_reference(reference: Reference) -> AbstractDataset:
    """Return the data set of a name, or of a path, whose classes and image size are then looked up."""
    if isinstance(reference, AbstractDataset):
        return reference
    text = str(reference)
    is_path = isinstance(reference, Path) or os.sep in text or Path(text).exists()
    if text in _named() or not is_path:
        return by_name(text)
    path = Path(text).expanduser()
    if not path.exists():
        raise InputError(
            f"no folder or file {text!r}; give the path of the data, or one of: {', '.join(names())}"
        )
    return ImageFolder.of(text) if path.is_dir() else TensorFile.of(text)


def by_name(name: str) -> AbstractDataset:
    """Return the data set called ``name``, with its default settings."""
    own = {cls.name: cls for cls in _DATASETS.values() if required_fields(cls)}
    if name in own:
        fields = ", ".join(required_fields(own[name]))
        raise InputError(f"data set {name!r} is one's own: give its path, or {own[name].__name__}({fields})")
    if name not in _named():
        raise UnknownNameError("data set", name, names())
    return _named()[name]()


def names() -> list[str]:
    """Return the names of the data sets that are given."""
    return sorted(_named())


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


def _named() -> dict[str, type[AbstractDataset]]:
    return {cls.name: cls for cls in _DATASETS.values() if not required_fields(cls)}
