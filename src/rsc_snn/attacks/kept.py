"""Candidates of a transfer, kept beside the source they were made on: made once, shown to many victims."""

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rsc_snn import __version__
from rsc_snn.attacks.base import AbstractAttack, Attempt
from rsc_snn.attacks.sources import AbstractSource
from rsc_snn.gradients import AbstractGradient
from rsc_snn.rng import Randomness, Streams
from rsc_snn.runs.files import replace_file

_ANSWER, _BLIND = "answer", "is_blind"
_FORMAT = 2  # raised when an attack comes to other images, so that none of an earlier version is shown


@dataclass(frozen=True)
class Kept:
    """A folder with a file per image: what one attack by one path came to on one source.

    Attributes:
        folder: Named by a digest of source, attack, gradient path, seed and torch's version.
        streams: Of the victim's attack; the source is attacked from their first draw on.
    """

    folder: Path
    streams: Streams

    @classmethod
    def of(
        cls, source: AbstractSource, attack: AbstractAttack, gradient: AbstractGradient, generator: Randomness
    ) -> "Kept | None":
        """Return the place of these candidates; None without a run folder or image-keyed noise."""
        if source.folder is None or not isinstance(generator, Streams):
            return None
        versions = (__version__, _FORMAT, torch.__version__)
        facts = (source.digest(), attack, gradient, generator.seed, generator.purpose, *versions)
        digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
        return cls(source.folder / "transfer" / digest, generator)

    def read(self, images: Tensor, labels: Tensor) -> list[Attempt | None]:
        """Return what is kept of each image, or None."""
        return [_read(path, images.device) for path in self._paths(images, labels)]

    def write(self, images: Tensor, labels: Tensor, attempt: Attempt) -> None:
        """Keep what an attack came back with; where the folder cannot be written, nothing is kept."""
        from safetensors import SafetensorError

        with contextlib.suppress(OSError, SafetensorError):
            self.folder.mkdir(parents=True, exist_ok=True)
            for i, path in enumerate(self._paths(images, labels)):
                _write(path, _rows(attempt, [i]))

    def _paths(self, images: Tensor, labels: Tensor) -> list[Path]:
        """A file for each image, named by its pixels, their type, its label and its index."""
        device = images.device.type
        keys = zip(
            images.detach().cpu().contiguous(), labels.tolist(), self.streams.indices.tolist(), strict=True
        )
        digests = (
            hashlib.sha256(
                f"{device}:{image.dtype}:{label}:{index}".encode() + image.view(torch.uint8).numpy().tobytes()
            )
            for image, label, index in keys
        )
        return [self.folder / f"{digest.hexdigest()[:32]}.safetensors" for digest in digests]


def joined(attempts: list[Attempt]) -> Attempt:
    """Return the attempts on single images or parts of a batch as one."""
    names = [name for name, _ in attempts[0].others]
    columns = zip(*([points for _, points in attempt.others] for attempt in attempts), strict=True)
    return Attempt(
        torch.cat([attempt.images for attempt in attempts]),
        tuple((name, torch.cat(column)) for name, column in zip(names, columns, strict=True)),
        torch.cat([attempt.is_blind for attempt in attempts]),
    )


def split(attempt: Attempt) -> list[Attempt]:
    """Return an attempt on a batch as attempts on single images."""
    return [_rows(attempt, [i]) for i in range(len(attempt.images))]


def _rows(attempt: Attempt, rows: list[int]) -> Attempt:
    others = tuple((name, points[rows]) for name, points in attempt.others)
    return Attempt(attempt.images[rows], others, attempt.is_blind[rows])


def _read(path: Path, device: torch.device) -> Attempt | None:
    """What a file holds; None if there is none, or a damaged one, which is made again."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = {name: tensor.to(device) for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError):
        return None
    names = sorted(name for name in tensors if name not in (_ANSWER, _BLIND))
    others = tuple((name.partition(":")[2], tensors[name]) for name in names)
    return Attempt(tensors[_ANSWER], others, tensors[_BLIND])


def _write(path: Path, attempt: Attempt) -> None:
    from safetensors.torch import save_file

    tensors = {_ANSWER: attempt.images, _BLIND: attempt.is_blind}
    tensors |= {f"{i:03}:{name}": points for i, (name, points) in enumerate(attempt.others)}
    plain = {name: tensor.cpu().contiguous().clone() for name, tensor in tensors.items()}
    replace_file(path, lambda temporary: save_file(plain, temporary))
