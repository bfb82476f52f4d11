"""Whose images are transferred: a classifier at hand, or that of a run folder."""

import functools
import hashlib
from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from rsc_snn.classifier import AbstractClassifier, require_classifier
from rsc_snn.errors import InputError
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load, require_weights
from rsc_snn.spec import Spec

_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class AbstractSource(Spec):
    """A classifier that an attacker has, other than the one that is attacked."""

    @abstractmethod
    def classifier(self, device: torch.device, dtype: torch.dtype) -> AbstractClassifier:
        """Return it, in eval mode."""
        raise NotImplementedError

    @property
    @abstractmethod
    def folder(self) -> Path | None:
        """Run folder beside whose weights candidates may be kept; None for a classifier at hand."""
        raise NotImplementedError

    @abstractmethod
    def digest(self) -> str:
        """Return what changes when the classifier does."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class GivenSource(AbstractSource):
    """A classifier that is in memory; it cannot be written into a file.

    Args:
        given: The classifier, on the device of the images.
        subject: What rows call it; None makes a digest of its weights.
    """

    given: nn.Module = field(repr=False)
    subject: str | None = None

    def __post_init__(self) -> None:
        require_classifier(self.given)
        if self.subject is None:
            object.__setattr__(self, "subject", self.digest()[:_SHOWN])

    def classifier(self, device: torch.device, dtype: torch.dtype) -> AbstractClassifier:
        """Return it as it is."""
        assert isinstance(self.given, AbstractClassifier)
        return self.given

    @property
    def folder(self) -> Path | None:
        """None."""
        return None

    def digest(self) -> str:
        """Digest of its parameters and buffers, and of how it is built."""
        digest = hashlib.sha256(repr(self.given).encode())
        for name, tensor in sorted(self.given.state_dict().items()):
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(name.encode() + flat.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, repr=False)
class SavedSource(AbstractSource):
    """The classifier of a run folder. Rows show the folder's name: where it lies does not matter.

    Args:
        run: Path of the run folder.
        subject: Digest of its specification and weights, by which rows know them again; None takes it now.
    """

    run: str
    subject: str | None = None

    def __post_init__(self) -> None:
        if self.subject is None:
            object.__setattr__(self, "subject", self.digest()[:_SHOWN])

    def __repr__(self) -> str:
        return f"SavedSource(run={self._path.name!r}, subject={self.subject!r})"

    def classifier(self, device: torch.device, dtype: torch.dtype) -> AbstractClassifier:
        """Return it, loaded once per process, device and type."""
        path = self._path
        return _load(path, _changed(RunFolder(path)), device, dtype)

    @property
    def folder(self) -> Path | None:
        """The run folder."""
        return self._path

    def digest(self) -> str:
        """Digest of specification and weights."""
        folder = RunFolder(self._path)
        digest = hashlib.sha256(repr(folder.read_spec()["classifier"]).encode())
        require_weights(folder)
        digest.update(_digest_of_weights(folder.weights, _changed(folder)))
        return digest.hexdigest()

    @property
    def _path(self) -> Path:
        return Path(self.run).expanduser().resolve()


def as_source(value: "AbstractSource | nn.Module | str | Path") -> AbstractSource:
    """Read what a user gives as a source: a spec, a classifier, or the path of a run folder.

    Raises:
        InputError: it is none of them.
    """
    if isinstance(value, AbstractSource):
        return value
    if isinstance(value, nn.Module):
        return GivenSource(given=value)
    if isinstance(value, str | Path):
        RunFolder(Path(value).expanduser()).read_spec()
        return SavedSource(run=str(value))
    raise InputError(f"a source is a classifier or the path of a run folder, got {value!r}")


def _changed(folder: RunFolder) -> int:
    """When the weights were written last, in nanoseconds; 0 if there are none."""
    return folder.weights.stat().st_mtime_ns if folder.weights.exists() else 0


@functools.cache
def _digest_of_weights(weights: Path, changed: int) -> bytes:
    """Digest of a file that is read once, and again when it has changed: transfer asks at every batch."""
    with open(weights, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@functools.cache
def _load(run: Path, changed: int, device: torch.device, dtype: torch.dtype) -> AbstractClassifier:
    return load(run).to(device, dtype)
