"""Finding the images of a folder: class folders, or one folder and a list of their classes.

A folder is scanned once and kept in memory until it changes. Class folders may hold their images in a
folder ``images``. Other files, and those whose name starts with a dot, are passed over; links that lead
nowhere are listed, so that reading them names them.
"""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rsc_snn.data.sources import Files
from rsc_snn.errors import InputError

ANNOTATIONS = "val_annotations.txt"
_INNER = "images"
_SUFFIXES = (".jpeg", ".jpg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")


def class_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the class folders in ``folder``, in order."""
    with os.scandir(folder) as entries:
        return tuple(sorted(e.name for e in entries if e.is_dir() and not e.name.startswith(".")))


def list_class_folders(folder: Path, classes: Sequence[str]) -> tuple[Files, Tensor]:
    """List ``folder/CLASS/*`` or ``folder/CLASS/images/*``.

    Returns:
        The files, class after class, and their labels int64 [N].

    Raises:
        InputError: a class has no images.
    """
    names, counts = [], []
    for name in classes:
        place = f"{name}/{_INNER}" if (folder / name / _INNER).is_dir() else name
        found = _image_names(folder / place)
        if not len(found):
            raise InputError(f"class {name!r} has no images in {str(folder / place)!r}; restore them")
        names.append(np.char.add(os.fsencode(f"{place}/"), found))
        counts.append(len(found))
    labels = torch.arange(len(classes)).repeat_interleave(torch.tensor(counts))
    return Files(folder, np.concatenate(names)), labels


def list_annotated(folder: Path, classes: Sequence[str]) -> tuple[Files, Tensor]:
    """List ``folder/images/*`` with the classes that ``folder/val_annotations.txt`` names.

    Each line is a file and its class, one of ``classes``, then what is not needed, separated by tabs.

    Returns:
        The files in the order of their names, and their labels int64 [N].

    Raises:
        InputError: the list is damaged, or does not name exactly the files that are there.
    """
    class_of = _read_annotations(folder / ANNOTATIONS)
    names = _image_names(folder / _INNER)
    files = [os.fsdecode(name) for name in names]
    if wrong := set(files) ^ class_of.keys():
        name = min(wrong)
        where = f"the folder {_INNER}" if name in class_of else ANNOTATIONS
        raise InputError(
            f"{name!r} and {len(wrong) - 1} other images are not in {where} of {str(folder)!r}; restore both "
            "from the archive"
        )
    number = {name: i for i, name in enumerate(classes)}
    labels = torch.tensor([number[class_of[name]] for name in files], dtype=torch.int64)
    return Files(folder, np.char.add(os.fsencode(f"{_INNER}/"), names)), labels


def annotated_classes(folder: Path) -> tuple[str, ...]:
    """Return the classes that ``folder/val_annotations.txt`` names, in order."""
    return tuple(sorted(set(_read_annotations(folder / ANNOTATIONS).values())))


def is_annotated(folder: Path) -> bool:
    """Whether images stand in one folder ``images`` beside a list of their classes.

    A list beside class folders, as many leave it when they sort the images, is passed over.

    Raises:
        InputError: the list is missing, or the images are.
    """
    is_listed, is_there = (folder / ANNOTATIONS).is_file(), (folder / _INNER).is_dir()
    if is_there and not is_listed:
        raise InputError(
            f"no {ANNOTATIONS} in {str(folder)!r}, which says the classes of its images; restore it from "
            "the archive"
        )
    if is_listed and not is_there and not class_names(folder):
        raise InputError(
            f"{str(folder)!r} has {ANNOTATIONS}, but neither a folder {_INNER} nor class folders; restore "
            "the images from the archive"
        )
    return is_listed and is_there


def has_images(folder: Path) -> bool:
    """Whether images stand in ``folder`` itself."""
    return len(_image_names(folder)) > 0


def _read_annotations(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        fields = [line.split("\t") for line in lines if line.strip()]
        return {name: label for name, label, *_ in fields}
    except (UnicodeDecodeError, ValueError) as err:
        raise InputError(
            f"{str(path)!r} is damaged: expected lines of FILE, tab, CLASS; restore it from the archive"
        ) from err


def _image_names(folder: Path) -> NDArray[Any]:
    return _scanned(str(folder), folder.stat().st_mtime_ns)


@functools.cache
def _scanned(folder: str, changed: int) -> NDArray[Any]:
    with os.scandir(folder) as entries:
        names = [
            os.fsencode(entry.name)
            for entry in entries
            if entry.name.lower().endswith(_SUFFIXES)
            and not entry.name.startswith(".")
            and (entry.is_file() or entry.is_symlink())
        ]
    return np.array(sorted(names), dtype=np.bytes_)
