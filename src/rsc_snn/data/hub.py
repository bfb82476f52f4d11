"""Data sets of the Hugging Face hub, from the hub or from a folder of the same layout.

Images are decoded once; the bytes are kept as a safetensors file in the cache folder (RSC_SNN_CACHE, or
``rsc-snn`` in the user's cache folder), under a name that follows from the files they came from.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from rsc_snn.data.augmentation import require_padding, shift_and_flip
from rsc_snn.data.base import AbstractDataset, ImageSet, Split
from rsc_snn.errors import InputError
from rsc_snn.rng import Randomness
from rsc_snn.runs.files import replace_file

_CACHE_LAYOUT = 1


@dataclass(frozen=True, kw_only=True)
class AbstractHubDataset(AbstractDataset):
    """Small images, grey or in colour: the whole set fits in memory; training shifts and mirrors them.

    Args:
        padding: Largest random shift in training, in pixels.
        flip: Whether training mirrors images left to right.
    """

    repository: ClassVar[str]
    image_column: ClassVar[str]
    label_column: ClassVar[str]

    padding: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        require_padding(self.padding, self.image_shape)

    def load(self, split: Split, root: Path | None) -> ImageSet:
        """Return a split, decoded at the first call and read from the cache afterwards."""
        place = self.locate(root)
        key = f"{_CACHE_LAYOUT}:{place}:{split}:{_file_stats(root, self.name)}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        path = cache_folder() / "decoded" / f"{self.name}-{split}-{digest}.safetensors"
        cached = _read_cache(path)
        if cached is None:
            cached = self._decode(self._open(split, root))
            _write_cache(path, cached)
        return cached

    def locate(self, root: Path | None) -> str:
        """Name the folder or the hub; raise InputError if the folder is missing."""
        if root is None:
            return f"hub: {self.repository} (downloaded at first use)"
        folder = require_folder(self.name, root)
        if not any(folder.rglob("*.parquet")):
            raise InputError(f"no parquet files in {str(folder)!r}; expected the layout of {self.repository}")
        return str(folder)

    def augment(self, images: UInt8[Tensor, "B C H W"], *, generator: Randomness) -> UInt8[Tensor, "B C H W"]:
        """Return images shifted by up to ``padding`` pixels and, if ``flip``, mirrored half of the time."""
        return shift_and_flip(images, padding=self.padding, flip=self.flip, generator=generator)

    def _open(self, split: Split, root: Path | None) -> Any:
        place = self.repository if root is None else str(root / self.name)
        return open_table(self.name, place, (split,), (self.image_column, self.label_column))

    def _decode(self, source: Any) -> ImageSet:
        channels, height, width = self.image_shape
        mode = "L" if channels == 1 else "RGB"
        images = np.empty((len(source), height, width, channels), dtype=np.uint8)
        for position, picture in enumerate(source[self.image_column]):
            images[position] = np.asarray(picture.convert(mode)).reshape(height, width, channels)
        labels = torch.tensor(source[self.label_column][:], dtype=torch.int64)
        classes = tuple(source.features[self.label_column].names)
        return ImageSet.of(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), labels, classes)


def open_table(name: str, place: str, splits: Sequence[str], columns: Sequence[str]) -> Any:
    """Open a split of a hub repository or of a folder of parquet files, as a table of ``datasets``.

    Args:
        name: Of the data set.
        place: Repository, or folder.
        splits: What the split may be called; the first that is there is taken.
        columns: What the table must have.

    Raises:
        InputError: it cannot be read, or lacks the split or a column.
    """
    import datasets

    datasets.disable_progress_bars()
    for logger in ("datasets", "huggingface_hub"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # what fails is told once, below
    try:
        tables = datasets.load_dataset(place)
    except Exception as err:  # the library raises many types for one cause: it cannot be read
        reason = " ".join(str(err).split())[:200] or type(err).__name__
        fix = (
            "restore the files of this folder"
            if Path(place).is_dir()
            else "check the connection, or give --data-root (RSC_SNN_DATA) with a folder of the data"
        )
        raise InputError(f"cannot read {name} ({splits[0]}) from {place!r}: {reason}; {fix}") from err
    found = next((split for split in splits if split in tables), None)
    if found is None:
        raise InputError(f"{place!r} lacks the split {splits[0]!r} of {name}; it has {', '.join(tables)}")
    table = tables[found]
    for column in columns:
        if column not in table.column_names:
            raise InputError(
                f"{place!r} lacks the column {column!r} of {name}; it has {', '.join(table.column_names)}"
            )
    return table


def require_folder(name: str, root: Path) -> Path:
    """Return the folder of a data set in the data root; raise InputError if it is missing."""
    folder = root / name
    if not folder.is_dir():
        raise InputError(
            f"no folder {name!r} in the data root {str(root)!r}; put the data there, give another "
            "--data-root (or RSC_SNN_DATA), or leave both away to download"
        )
    return folder


def cache_folder() -> Path:
    """Folder for what can be computed again: RSC_SNN_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("RSC_SNN_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rsc-snn"


def _file_stats(root: Path | None, name: str) -> str:
    """Names, sizes and times of the local files, so that a changed folder is decoded again."""
    files = [] if root is None else sorted((root / name).rglob("*.parquet"))
    return repr([(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files])


def _read_cache(path: Path) -> ImageSet | None:
    try:
        with safe_open(path, framework="pt") as file:
            classes = tuple(json.loads(file.metadata()["classes"]))
            return ImageSet.of(file.get_tensor("images"), file.get_tensor("labels"), classes)
    except (FileNotFoundError, SafetensorError):
        return None  # absent or damaged: decode again


def _write_cache(path: Path, decoded: ImageSet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {"images": decoded.images, "labels": decoded.labels}
    metadata = {"classes": json.dumps(decoded.classes)}
    replace_file(path, lambda temporary: save_file(tensors, temporary, metadata))
