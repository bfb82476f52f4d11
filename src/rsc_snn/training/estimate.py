"""How long a run will take and how much memory it needs, from one pass of a network that is thrown away."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.data import AbstractDataset
from rsc_snn.passes import KeptBytes
from rsc_snn.rng import Streams, derived_generator
from rsc_snn.training.step import Learner, Stepper

_MOST_PROBED_ON_CPU = 16
_WITH_WORKING_MEMORY = 1.4  # of what a pass keeps; measured on a CPU, benchmarks/results/training-cpu.json


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to need; a guide, not a bound.

    Attributes:
        seconds: For the steps that are left, without validation and without waiting for data.
        num_bytes: Of weights, gradients, gradients with weight decay, momentum, average, what a pass keeps
            for its backward half and what that half works with, for one process; without the data set.
    """

    seconds: float
    num_bytes: int


def estimate(stepper: Stepper, dataset: AbstractDataset, *, num_steps: int) -> Estimate:
    """Try a pass, forward and backward, on a fresh copy of the classifier.

    On a CPU at most 16 images are tried and scaled up. Nothing of the run changes.

    Args:
        stepper: Of the run.
        dataset: Whose images are taken.
        num_steps: Updates that are left.
    """
    settings = stepper.settings
    device = next(stepper.classifier.parameters()).device
    share = settings.images_per_pass // stepper.group.size
    size = share if device.type == "cuda" else min(share, _MOST_PROBED_ON_CPU)
    generator = derived_generator(0, "estimate")
    copy = stepper.fresh(generator)  # of its own: no other process takes part
    learner = Learner(copy, stepper.objective, settings.precision).to(device, stepper.dtype).train()
    images = torch.randint(0, 256, (size, *dataset.image_shape), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, dataset.num_classes, (size,), generator=generator)
    images, labels = images.to(device), labels.to(device)
    _pass(learner, images, labels)  # the first one also warms up
    clock = time.perf_counter()
    num_kept = _pass(learner, images, labels)
    seconds = (time.perf_counter() - clock) * share / size * settings.accumulation_steps * num_steps
    num_weights = sum(p.numel() * p.element_size() for p in learner.parameters())
    copies = 4 + (settings.ema_decay is not None)  # weights, gradients twice, momentum, average
    return Estimate(seconds, copies * num_weights + int(_WITH_WORKING_MEMORY * num_kept * share / size))


def _pass(learner: Learner, images: Tensor, labels: Tensor) -> int:
    """Do a pass; return the bytes that its forward half keeps, without the parameters."""
    kept = KeptBytes(learner)
    with kept.watched():
        loss, _ = learner(images, labels, Streams(0, "probe", range(len(images))))
    num_bytes = (
        kept.count()
    )  # an adversary's graphs are gone by now; what is left waits for the backward half
    loss.backward()
    loss.item()  # wait for the device
    return num_bytes
