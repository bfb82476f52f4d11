"""The two sets of images that a run can be attacked on, each with files of its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from rsc_snn.data import AbstractImageSet
from rsc_snn.errors import RunFolderError, UnknownNameError
from rsc_snn.evaluation.held_back import digest_of, held_back_by
from rsc_snn.evaluation.images import test_images
from rsc_snn.runs.files import read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reduction import is_reduced
from rsc_snn.runs.schema import TEST, VALIDATION


class AbstractSplit(ABC):
    """Which images, and where their rows go.

    Attributes:
        name: What it is called.
        marks: What its rows say beside the fields of every row.
    """

    name: ClassVar[str]
    marks: ClassVar[Mapping[str, str]]

    @abstractmethod
    def images(self, folder: RunFolder, data_root: str | Path | None, limit: int | None) -> AbstractImageSet:
        """Return the first ``limit`` images, or all."""
        raise NotImplementedError

    @abstractmethod
    def rows(self, folder: RunFolder) -> Path:
        """The file of its rows."""
        raise NotImplementedError

    @abstractmethod
    def time_average(self, folder: RunFolder) -> Path:
        """The file of the width that attacks on it use."""
        raise NotImplementedError

    @abstractmethod
    def candidates(self, folder: RunFolder) -> Path:
        """The file of the images that won, where they are kept."""
        raise NotImplementedError

    @abstractmethod
    def next_words(self, run: Path) -> list[str]:
        """The words after ``rsc-snn`` that one may want after an attack."""
        raise NotImplementedError


class TestSplit(AbstractSplit):
    """The test set, on which numbers are reported."""

    name = TEST
    marks: ClassVar[Mapping[str, str]] = {}  # what rows of older versions do not say, new ones need not

    def images(self, folder: RunFolder, data_root: str | Path | None, limit: int | None) -> AbstractImageSet:
        """Return the first test images of the run's data set."""
        return test_images(folder, data_root, limit)

    def rows(self, folder: RunFolder) -> Path:
        """attacks.jsonl."""
        return folder.attacks

    def time_average(self, folder: RunFolder) -> Path:
        """time-average.json."""
        return folder.time_average

    def candidates(self, folder: RunFolder) -> Path:
        """candidates.safetensors."""
        return folder.candidates

    def next_words(self, run: Path) -> list[str]:
        """The report."""
        return ["report", str(run)]


class ValidationSplit(AbstractSplit):
    """The training images that the run's training kept back, on which choices are made.

    They keep their index in the training set, and their order there. The test set is not opened.
    """

    name = VALIDATION
    marks: ClassVar[Mapping[str, str]] = {"split": VALIDATION}

    def images(self, folder: RunFolder, data_root: str | Path | None, limit: int | None) -> AbstractImageSet:
        """Return the first images of the very carve of the training.

        Raises:
            InputError: there is none, or the training was on other images than are there now.
        """
        held = held_back_by(folder)
        used = held.used(data_root)
        _, kept = used.carve(held.num_validation, seed=held.seed)
        entries = read_environments(folder.environment)
        begun = next((entry for entry in entries if "held_back" in entry), None)
        if begun is None:
            if is_reduced(folder):
                raise RunFolderError(
                    f"{str(folder.path)!r} is a reduced network, as those of the zoo are, and its record "
                    "does not tell which images training kept back: it has no validation images; attack test "
                    "images, or train a network of your own"
                )
            raise RunFolderError(
                f"{str(folder.path)!r} does not tell which images its training kept back (held_back in "
                "environment.json), as runs of older versions; train it again"
            )
        if (begun["data"]["train"], begun["held_back"]) != (used.fingerprint(), digest_of(kept)):
            raise RunFolderError(
                f"{str(folder.path)!r} was trained on other images than these ({held.data.name}): which ones "
                "it has not seen is not known; give the data root of its training"
            )
        return kept.at(slice(limit))

    def rows(self, folder: RunFolder) -> Path:
        """validation.jsonl."""
        return folder.validation

    def time_average(self, folder: RunFolder) -> Path:
        """validation-time-average.json."""
        return folder.validation_time_average

    def candidates(self, folder: RunFolder) -> Path:
        """validation-candidates.safetensors."""
        return folder.validation_candidates

    def next_words(self, run: Path) -> list[str]:
        """The same on the test images, once a choice is made."""
        return ["attack", str(run)]


_SPLITS: Mapping[str, AbstractSplit] = {split.name: split for split in (TestSplit(), ValidationSplit())}


def split_called(name: str) -> AbstractSplit:
    """Return a split by its name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in _SPLITS:
        raise UnknownNameError("split", name, _SPLITS)
    return _SPLITS[name]
