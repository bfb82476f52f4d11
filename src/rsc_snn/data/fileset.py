"""Images that stay in their files and are decoded when they are needed, by worker processes if asked."""

import contextlib
import functools
import hashlib
import warnings
from abc import abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from rsc_snn.data.base import (
    AbstractDataset,
    AbstractImageSet,
    Augmentation,
    ImageSet,
    rank_within_class,
)
from rsc_snn.data.decoding import UndecodableError, decode
from rsc_snn.data.sources import AbstractSource
from rsc_snn.data.views import View
from rsc_snn.data.workers import default_num_workers, leave_signals, received
from rsc_snn.errors import InputError, UnreadableImage
from rsc_snn.rng import derived_generator

_CPU = torch.device("cpu")
_GROUP = 128
_PREFETCH = 2
_WORTH_WORKERS = 1024

Decoded = tuple[Tensor, list[int], dict[int, str]]


@dataclass(frozen=True, kw_only=True)
class AbstractFileDataset(AbstractDataset):
    """A data set whose images are decoded from files, each by a view of its own."""

    num_numbers: ClassVar[int]

    @abstractmethod
    def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
        """Choose the part of an image that is shown.

        Args:
            width: Of the image in its file, in pixels.
            height: Likewise.
            numbers: ``num_numbers`` uniform numbers in [0, 1) for a training image; None to show it as in
                testing.

        Raises:
            ValueError: no image of this data set has that size.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class FileSet(AbstractImageSet):
    """Labelled images in files; ``.images`` and ``fetch`` decode all of them into memory, which may be large.

    An image that cannot be decoded is named in an ``UnreadableImage`` warning the first time, and left out.

    Attributes:
        dataset: Chooses the view of each image.
        source: The files of the whole split.
        labels: int64 [N], class of each image.
        classes: Names of the K classes.
        indices: int64 [N], number of each image in ``source``; keys its randomness.
        device: Where ``fetch`` puts images.
        unreadable: Reason by index of every image of the split that could not be decoded so far.
    """

    dataset: AbstractFileDataset
    source: AbstractSource
    labels: Int64[Tensor, "N"]
    classes: tuple[str, ...]
    indices: Int64[Tensor, "N"]
    device: torch.device = _CPU
    unreadable: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, dataset: AbstractFileDataset, source: AbstractSource, labels: Tensor, classes: tuple[str, ...]
    ) -> "FileSet":
        """Make a set of a whole split: the first image of every class, then the second of every class ...

        Folders are listed class by class; taken in that order, the first N images would be of a few classes.

        Args:
            dataset: Chooses the view of each image.
            source: The files.
            labels: Class of each file.
            classes: Names of the classes.
        """
        order = torch.argsort(rank_within_class(labels), stable=True)
        return cls(dataset, source, labels[order], classes, order)

    @property
    def images(self) -> UInt8[Tensor, "N C H W"]:
        """All images that can be decoded, uint8 [N, C, H, W]; decoded at every access."""
        return self.fetch().images

    def at(self, positions: Tensor | slice) -> "FileSet":
        """Return the images at ``positions``, each with its original index; nothing is decoded."""
        return replace(self, labels=self.labels[positions], indices=self.indices[positions])

    def to(self, device: torch.device | str) -> "FileSet":
        """Return the set whose images will be on ``device``, where its labels are already."""
        return replace(self, labels=self.labels.to(device), device=torch.device(device))

    def fetch(self) -> ImageSet:
        """Decode everything into memory, without the images that cannot be; they may be all."""
        num_workers = default_num_workers() if len(self) >= _WORTH_WORKERS else 0
        groups = torch.arange(len(self)).split(_GROUP)
        images = torch.empty(len(self), *self.dataset.image_shape, dtype=torch.uint8, device=self.device)
        labels, indices, num_kept = torch.empty_like(self.labels), torch.empty_like(self.indices), 0
        for part in self._parts(groups, self.device, None, num_workers):  # each holds a file descriptor
            kept = slice(num_kept, num_kept + len(part))
            images[kept], labels[kept], indices[kept] = part.images, part.labels, part.indices
            num_kept += len(part)
        return ImageSet(images[:num_kept], labels[:num_kept], self.classes, indices[:num_kept])

    def stream(
        self,
        groups: Sequence[Tensor],
        *,
        device: torch.device | str,
        augmentation: Augmentation | None = None,
        num_workers: int = 0,
    ) -> Generator[ImageSet, None, None]:
        """Yield the images of each group of positions, in order, decoded ahead by ``num_workers`` processes.

        No more of them are started than there are groups. Closing the iterator stops them. They leave Ctrl-C
        and SIGTERM to the main process.
        """
        if augmentation is not None and augmentation.dataset != self.dataset:
            raise InputError(
                f"images of {self.dataset!r} can only be altered as it says, got {augmentation.dataset!r}"
            )
        with contextlib.closing(
            self._parts(groups, torch.device(device), augmentation, num_workers)
        ) as parts:
            yield from parts

    def fingerprint(self) -> str:
        """Return the SHA-256 of the name and size of each file and its label; contents are not read."""
        digest = hashlib.sha256()
        pairs = zip(self.source.identities(self.indices.tolist()), self.labels.tolist(), strict=True)
        for identity, label in pairs:
            digest.update(f"{identity}:{label}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _parts(
        self,
        groups: Sequence[Tensor],
        device: torch.device,
        augmentation: Augmentation | None,
        num_workers: int,
    ) -> Generator[ImageSet, None, None]:
        is_cuda, num_workers = device.type == "cuda", min(num_workers, len(groups))
        loader = DataLoader(
            _Decoder(self.dataset, self.source, augmentation),
            sampler=(self.indices[group].tolist() for group in groups),
            batch_size=None,
            num_workers=num_workers,
            prefetch_factor=_PREFETCH if num_workers else None,
            pin_memory=is_cuda,
            worker_init_fn=leave_signals,
            generator=derived_generator(0, "loader"),  # torch's global generator stays as it is
        )
        labels = self.labels.cpu()  # once: to look there each time would wait for the device
        with contextlib.closing(received(loader)) as decoded:
            for group, (images, kept, failures) in zip(groups, decoded, strict=True):
                self._report(failures)
                readable = group[kept]
                yield ImageSet(
                    images.to(device, non_blocking=is_cuda),
                    labels[readable].to(device, non_blocking=is_cuda),
                    self.classes,
                    self.indices[readable],
                )

    def _report(self, failures: dict[int, str]) -> None:
        for index, reason in failures.items():
            if index not in self.unreadable:
                self.unreadable[index] = reason
                name = self.source.name(index)
                warnings.warn(f"{name!r} is left out: {reason}", UnreadableImage, stacklevel=2)


@dataclass(frozen=True)
class _Decoder(Dataset[Decoded]):
    """What a worker knows; it keeps nothing from one group to the next."""

    dataset: AbstractFileDataset
    source: AbstractSource
    augmentation: Augmentation | None

    def __getitem__(self, indices: list[int]) -> Decoded:
        """Decode a group: images [B, C, H, W], their positions in the group, and what failed, by index."""
        channels, height, width = self.dataset.image_shape
        images = np.empty((len(indices), height, width, channels), dtype=np.uint8)
        kept, failures = list[int](), dict[int, str]()
        numbers = self._numbers(indices)
        for position, index in enumerate(indices):
            row = None if numbers is None else numbers[position]
            choose_view = functools.partial(self.dataset.view, numbers=row)
            try:
                content = self.source.read(index)
                images[len(kept)] = decode(content, choose_view, width=width, height=height)
                kept.append(position)
            except (UndecodableError, OSError) as err:
                failures[index] = str(err)
        pixels = torch.from_numpy(images[: len(kept)]).permute(0, 3, 1, 2).contiguous()
        return pixels, kept, failures

    def _numbers(self, indices: list[int]) -> list[list[float]] | None:
        if self.augmentation is None:
            return None
        streams = self.augmentation.streams(indices)
        numbers = streams.uniform((self.dataset.num_numbers,), num_steps=1, device=_CPU)
        rows: list[list[float]] = numbers[0].tolist()
        return rows
