"""What a training kept back for validation, from its specification as plain data."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsc_snn.data import AbstractDataset, AbstractImageSet
from rsc_snn.data import load as load_data
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs.folder import RunFolder
from rsc_snn.spec import KIND, from_data

DEFAULT_VALIDATION = 1000  # of a recipe that does not say


@dataclass(frozen=True)
class HeldBack:
    """Training images that a run did not see.

    Attributes:
        data: The data set.
        num_images: Only the first so many training images were used at all; None is all.
        num_validation: So many of these were carved off, >= 0.
        seed: Of the carve.
    """

    data: AbstractDataset
    num_images: int | None
    num_validation: int
    seed: int

    def used(self, data_root: str | Path | None) -> AbstractImageSet:
        """Return the images of which some were carved off."""
        return load_data(self.data, data_root, "train").at(slice(self.num_images))

    def __str__(self) -> str:
        used = "all" if self.num_images is None else f"the first {self.num_images}"
        return f"{self.num_validation} of {used} training images of {self.data.name}, seed {self.seed}"


def digest_of(held: AbstractImageSet) -> str:
    """Return a digest of which images these are, by their indices, for the record of a run."""
    return hashlib.sha256(repr(held.indices.tolist()).encode()).hexdigest()


def held_back(recipe: Mapping[str, Any], seed: int) -> HeldBack:
    """Return what neither the network of a recipe nor a teacher of it was trained on.

    Args:
        recipe: As in run.yaml.
        seed: Of the run.

    Raises:
        InputError: that is nothing, or a teacher may have seen it.
    """
    own = _of(recipe, seed)
    if own.num_validation == 0:
        raise InputError(
            "its training keeps no images for validation; train it with --set training.num_validation=N"
        )
    for teacher in _teachers(recipe.get("objective"), seed):
        if teacher != own:
            raise InputError(
                f"its teacher was trained without {teacher}, itself without {own}: the teacher may have seen "
                "validation images; give both the same training.num_images and training.num_validation"
            )
    return own


def held_back_by(folder: RunFolder) -> HeldBack:
    """Return what the training of a run folder kept back.

    Raises:
        RunFolderError, InputError: it is not the folder of a training, kept nothing back, or a teacher may
            have seen it.
    """
    try:
        return held_back(*_recipe_of(folder))
    except RunFolderError:
        raise
    except InputError as err:
        raise InputError(f"{str(folder.path)!r} cannot be evaluated on validation images: {err}") from err


def _recipe_of(folder: RunFolder) -> tuple[Mapping[str, Any], int]:
    spec = folder.read_spec()
    recipe, seed = spec.get("recipe"), spec.get("seed")
    if not isinstance(recipe, dict) or not isinstance(seed, int):
        raise RunFolderError(
            f"{str(folder.path)!r} was saved by hand, not trained: which images its network has not seen is "
            "not known; give a folder that 'rsc-snn train' wrote"
        )
    return recipe, seed


def _of(recipe: Mapping[str, Any], seed: int) -> HeldBack:
    training = recipe.get("training") or {}
    data = from_data(recipe.get("data"), AbstractDataset, where="run.yaml: recipe.data")
    number = training.get("num_validation", DEFAULT_VALIDATION)
    return HeldBack(data, training.get("num_images"), number, seed)


def _teachers(data: object, seed: int) -> Iterator[HeldBack]:
    """What each teacher in nested plain data, and each of its own teachers, was not trained on."""
    if isinstance(data, dict):
        read = _READERS.get(data.get(KIND))
        if read is not None:
            yield from read(data, seed)
        for value in data.values():
            yield from _teachers(value, seed)
    if isinstance(data, list):
        for value in data:
            yield from _teachers(value, seed)


def _trained(teacher: Mapping[str, Any], seed: int) -> Iterator[HeldBack]:
    """It is trained with the seed of the student; teachers of its own stand inside."""
    yield _of(teacher["recipe"], seed)


def _saved(teacher: Mapping[str, Any], seed: int) -> Iterator[HeldBack]:
    recipe, own_seed = _recipe_of(RunFolder(Path(teacher["run"]).expanduser()))
    yield _of(recipe, own_seed)
    yield from _teachers(recipe.get("objective"), own_seed)


_READERS: Mapping[object, Callable[[Mapping[str, Any], int], Iterator[HeldBack]]] = {
    "TrainedTeacher": _trained,
    "SavedTeacher": _saved,
}
