"""How many (image, draw) pairs share a gradient's pass: as many as memory holds, measured once."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import fields

import torch
from torch import Tensor

from rsc_snn.attacks import Transfer
from rsc_snn.attacks.conditions import frozen
from rsc_snn.attacks.sources import as_source
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.evaluation.free_memory import free_memory
from rsc_snn.evaluation.plan import Plan
from rsc_snn.gradients import AbstractGradient, AbstractPath, Memory
from rsc_snn.gradients.parts import ROWS_BY_HAND
from rsc_snn.passes import KeptBytes
from rsc_snn.rng import Streams

WITH_WORKING_MEMORY = 1.4  # of what a pass keeps, as in training
_SHARE = 0.5  # of what is free: other work on the device goes on
_MOST_ON_CUDA = 4096
_MOST_PROBED = 4


def measured_rows(classifier: AbstractClassifier, images: Tensor, plan: Plan, *, num_sharing: int = 1) -> int:
    """Return how many rows a pass may hold, a power of two.

    What a pass keeps per row is counted, not timed, and comes out the same on every device. On a CPU more
    than 64 rows are no faster. A module that is not ours is passed a batch at a time, whatever it takes.

    Args:
        classifier: In eval mode.
        images: Some images of the run on their device, of which at most 4 are used.
        plan: What will be done.
        num_sharing: Processes that share the memory.
    """
    if classifier.has_noise_of_its_own:
        return plan.batch_size
    most = _MOST_ON_CUDA if images.device.type == "cuda" else ROWS_BY_HAND
    free = free_memory(images.device)
    if free is None:
        return most
    probe = images[:_MOST_PROBED]
    per_row = WITH_WORKING_MEMORY * most_kept(classifier, probe, plan) / len(probe)
    has_statistics = any(entry.gradient.has_statistics for _, entry in plan.entries)
    reserved = weight_bytes(classifier) + has_statistics * per_row * plan.batch_size
    return fitting_rows(_SHARE * free / num_sharing - reserved, per_row, most=most)


def fitting_rows(num_bytes: float, per_row: float, *, most: int) -> int:
    """Return the largest power of two of rows that fit, at least 1 and at most ``most``.

    Rounding down keeps small changes of what is free out of the number.

    Args:
        num_bytes: For all rows; may be negative.
        per_row: Bytes of a row.
        most: At least 1.
    """
    count = max(1, min(most, int(num_bytes / max(1.0, per_row))))
    return 1 << (count.bit_length() - 1)


def most_kept(classifier: AbstractClassifier, images: Tensor, plan: Plan) -> int:
    """Bytes of the pass over ``images`` that keeps most: of all paths of a plan, and through its sources."""
    sizes = [bytes_kept(classifier, images)]
    for path in dict.fromkeys(path for _, entry in plan.entries for path in _paths_of(entry.gradient)):
        with contextlib.suppress(InputError):  # where a path does not apply, its entry is not run
            sizes.append(bytes_kept(classifier, images, path))
    sources = (entry.attack.sources for _, entry in plan.entries if isinstance(entry.attack, Transfer))
    for source in dict.fromkeys(map(as_source, itertools.chain.from_iterable(sources))):
        sizes.append(bytes_kept(source.classifier(images.device, images.dtype), images))
    return max(sizes)


def _paths_of(gradient: AbstractGradient) -> Iterator[AbstractPath]:
    """Yield the paths of a single draw inside a gradient."""
    if isinstance(gradient, AbstractPath):
        yield gradient
        return
    for own in fields(gradient):
        value = getattr(gradient, own.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, AbstractGradient):
                yield from _paths_of(inner)


def bytes_kept(classifier: AbstractClassifier, images: Tensor, path: AbstractPath | None = None) -> int:
    """Bytes that wait for the backward half of a pass over ``images``, by a path or plain backpropagation."""
    kept = KeptBytes(classifier)
    streams = Streams(0, "probe", range(len(images)))
    attached = contextlib.nullcontext() if path is None else path.attached(classifier, Memory())
    with torch.inference_mode(False), torch.enable_grad(), frozen(classifier), attached, kept.watched():
        logits = classifier.logits(images.detach().clone().requires_grad_(), streams)
    num_bytes = kept.count()
    del logits
    return num_bytes


def weight_bytes(classifier: AbstractClassifier) -> int:
    """Bytes of the parameters."""
    return sum(p.numel() * p.element_size() for p in classifier.parameters())
