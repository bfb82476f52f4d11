"""Large data sets: from the hub, from a folder of its parquet files, or from the usual folders of images."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from rsc_snn.data.base import Split
from rsc_snn.data.fileset import AbstractFileDataset, FileSet
from rsc_snn.data.hub import open_table, require_folder
from rsc_snn.data.listing import (
    annotated_classes,
    class_names,
    has_images,
    is_annotated,
    list_annotated,
    list_class_folders,
)
from rsc_snn.data.sources import AbstractSource, Files, Rows
from rsc_snn.errors import InputError

_FOLDERS: dict[Split, str] = {"train": "train", "test": "val"}


@dataclass(frozen=True, kw_only=True)
class AbstractTreeDataset(AbstractFileDataset):
    """Images in ``train/CLASS/*`` and ``val/CLASS/*``, or in a table; the validation images are for testing.

    Where the validation images stand in one folder, ``val/images/*``, ``val/val_annotations.txt`` names
    their classes. Labels are positions of the class folders' names in alphabetical order.

    Attributes:
        repository: On the hub, with columns ``image`` and ``label``.
        table_splits: What a table calls each split.
        num_images: Published size of each split.
    """

    repository: ClassVar[str]
    table_splits: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("train",),
        "test": ("validation", "valid", "val"),
    }
    num_images: ClassVar[dict[Split, int]]

    def load(self, split: Split, root: Path | None) -> FileSet:
        """Return a split; only its list is read. Training images are checked against the test images.

        Raises:
            InputError: a folder, class or list is missing, or the splits are not what they should be.
        """
        if root is None or not _is_tree(root / self.name):
            return self._from_table(split, root)
        self.locate(root)
        folder = root / self.name
        classes = self._classes(folder)
        source, labels = _listed(folder / _FOLDERS[split], classes)
        self._require_size(split, len(labels), str(folder / _FOLDERS[split]))
        if split == "train":
            self._require_order(len(labels), len(_listed(folder / _FOLDERS["test"], classes)[1]), folder)
        return self._set(source, labels, classes)

    def locate(self, root: Path | None) -> str:
        """Name the folder or the hub; raise InputError if there is no folder, or not both splits in it."""
        if root is None:
            return f"hub: {self.repository} (downloaded at first use)"
        folder = require_folder(self.name, root)
        if _is_tree(folder):
            missing = [name for name in _FOLDERS.values() if not (folder / name).is_dir()]
            if missing:
                raise InputError(
                    f"no folder {missing[0]!r} in {str(folder)!r}; expected train/CLASS/*.JPEG and the "
                    "validation images in val"
                )
        elif not any(folder.glob("*.parquet")) and not any(folder.glob("*/*.parquet")):
            raise InputError(
                f"neither train/CLASS/*.JPEG nor parquet files in {str(folder)!r}; unpack {self.name} there, "
                f"or put the files of {self.repository} there"
            )
        return str(folder)

    def _from_table(self, split: Split, root: Path | None) -> FileSet:
        self.locate(root)
        place = self.repository if root is None else str(root / self.name)
        table = open_table(self.name, place, self.table_splits[split], ("image", "label"))
        numbers = [-1 if number is None else number for number in table["label"][:]]
        labels = torch.tensor(numbers, dtype=torch.int64)
        if unlabelled := int((labels < 0).sum()):
            raise InputError(f"{unlabelled} rows of {place!r} ({split}) have no label; restore the files")
        classes = tuple(table.features["label"].names)
        if len(classes) != self.num_classes:
            raise InputError(f"expected {self.num_classes} classes in {place!r}, found {len(classes)}")
        if missing := set(range(self.num_classes)) - set(labels.unique().tolist()):
            raise InputError(f"class {classes[min(missing)]!r} has no images in {place!r} ({split})")
        self._require_size(split, len(labels), place)
        return self._set(Rows.of(place, table, "image"), labels, classes)

    def _set(self, source: AbstractSource, labels: Tensor, classes: tuple[str, ...]) -> FileSet:
        return FileSet.of(self, source, labels, classes)

    def _classes(self, folder: Path) -> tuple[str, ...]:
        """The classes of the training images, which those of the test images must be, too."""
        train, test = (folder / name for name in _FOLDERS.values())
        classes = class_names(train)
        tested = annotated_classes(test) if is_annotated(test) else class_names(test)
        for place, found in ((train, classes), (test, tested)):
            if not found and has_images(place):
                raise InputError(
                    f"the images in {str(place)!r} are not in class folders; sort them into these"
                )
        if different := set(classes) ^ set(tested):
            name = min(different)
            there, lacking = (train, test) if name in classes else (test, train)
            raise InputError(f"class {name!r} of {str(there)!r} is missing from {str(lacking)!r}; restore it")
        if len(classes) != self.num_classes:
            raise InputError(
                f"expected {self.num_classes} classes of {self.name} in {str(folder)!r}, found {len(classes)}"
                "; other images are read with ImageFolder"
            )
        return classes

    def _require_size(self, split: Split, found: int, place: str) -> None:
        expected = self.num_images[split]
        if found > expected:
            raise InputError(
                f"{place!r} holds {found} {split} images, but {self.name} has {expected}; are train and val "
                "swapped?"
            )

    def _require_order(self, num_train: int, num_test: int, folder: Path) -> None:
        if num_train < num_test:
            raise InputError(
                f"{str(folder)!r} holds fewer images in train ({num_train}) than in val ({num_test}); are "
                "they swapped?"
            )


def _is_tree(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in _FOLDERS.values())


def _listed(folder: Path, classes: tuple[str, ...]) -> tuple[Files, Tensor]:
    find = list_annotated if is_annotated(folder) else list_class_folders
    return find(folder, classes)
