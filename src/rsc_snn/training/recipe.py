"""A recipe: everything that decides what a training run computes."""

import math
import re
from dataclasses import dataclass, field

import torch

from rsc_snn.codings import AbstractCoding
from rsc_snn.data import AbstractDataset
from rsc_snn.errors import RangeError, UnknownNameError
from rsc_snn.networks import AbstractNetwork, Blueprint
from rsc_snn.neurons import AbstractNeuron
from rsc_snn.objectives import AbstractObjective, CrossEntropy
from rsc_snn.runs.storage import ClassifierSpec
from rsc_snn.spec import Spec

# type of weights and images, and the type that autocast computes products in
PRECISIONS: dict[str, tuple[torch.dtype, torch.dtype | None]] = {
    "float32": (torch.float32, None),
    "float64": (torch.float64, None),
    "bfloat16": (torch.float32, torch.bfloat16),
}


@dataclass(frozen=True, kw_only=True)
class Training(Spec):
    """Stochastic gradient descent with Nesterov-free momentum, linear warm-up and a cosine to zero.

    Args:
        epochs: Passes over the training images, >= 1.
        batch_size: Images per step, >= 2; an incomplete last batch of an epoch is left out.
        learning_rate: Peak of the schedule, > 0.
        momentum: In [0, 1).
        weight_decay: L2 coefficient on every parameter, >= 0.
        warmup_epochs: Epochs, possibly broken, in which the rate rises linearly from 0.
        num_images: Use only the first so many training images (before the validation split), or all.
        num_validation: Images carved from them, the same share of each class, to measure progress on.
        augment: Whether training images are altered as their data set allows.
        checkpoint_every: Steps between two checkpoints, besides one after each epoch.
        accumulation_steps: Passes whose gradients are added up for one update; a pass sees
            batch_size / accumulation_steps images, shared out among the processes, and its normalisation
            only those of its process.
        synchronise_norm: Whether batch normalisation takes its statistics over all processes.
        ema_decay: Share that the exponential moving average of the weights keeps at each update, in
            (0, 1); the average is then what is validated and saved. None keeps the last weights.
        precision: "float32"; "bfloat16", which computes products in bfloat16 by autocast and keeps
            weights, membranes and losses in float32; or "float64", for exact comparisons.
        recompute_blocks: Whether each block of convolutions keeps only its input for the backward pass and is
            computed once more there, which takes less memory and a third more time; the weights are the same.
        num_workers: Processes that decode images ahead, for each process that trains; None chooses by the
            processors of the machine. Images in memory need none.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: float = 1.0
    num_images: int | None = None
    num_validation: int = 1000
    augment: bool = True
    checkpoint_every: int = 200
    accumulation_steps: int = 1
    synchronise_norm: bool = False
    ema_decay: float | None = None
    precision: str = "float32"
    recompute_blocks: bool = False
    num_workers: int | None = None

    def __post_init__(self) -> None:
        _require("epochs", self.epochs, self.epochs >= 1, ">= 1")
        _require("batch_size", self.batch_size, self.batch_size >= 2, ">= 2")
        _require("learning_rate", self.learning_rate, 0 < self.learning_rate < math.inf, "> 0")
        _require("momentum", self.momentum, 0 <= self.momentum < 1, "in [0, 1)")
        _require("weight_decay", self.weight_decay, 0 <= self.weight_decay < math.inf, ">= 0")
        is_within = 0 <= self.warmup_epochs <= self.epochs
        _require("warmup_epochs", self.warmup_epochs, is_within, f"in [0, epochs = {self.epochs}]")
        _require("num_images", self.num_images, self.num_images is None or self.num_images >= 1, ">= 1")
        _require("num_validation", self.num_validation, self.num_validation >= 0, ">= 0")
        _require("checkpoint_every", self.checkpoint_every, self.checkpoint_every >= 1, ">= 1")
        divides = self.accumulation_steps >= 1 and self.batch_size % self.accumulation_steps == 0
        condition = f"a divisor of batch_size = {self.batch_size}"
        _require("accumulation_steps", self.accumulation_steps, divides, condition)
        is_share = self.ema_decay is None or 0 < self.ema_decay < 1
        _require("ema_decay", self.ema_decay, is_share, "in (0, 1), or none")
        if self.precision not in PRECISIONS:
            raise UnknownNameError("training.precision", self.precision, PRECISIONS)
        is_count = self.num_workers is None or self.num_workers >= 0
        _require("num_workers", self.num_workers, is_count, ">= 0, or none")

    @property
    def images_per_pass(self) -> int:
        """Images that go through the network together, in all processes."""
        return self.batch_size // self.accumulation_steps

    def learning_rate_at(self, step: int, steps_per_epoch: int) -> float:
        """Rate of step 0, 1, ...: (step + 1) / warm-up of the peak, then half a cosine that ends at 0."""
        num_steps, warmup = self.epochs * steps_per_epoch, self.warmup_epochs * steps_per_epoch
        if step < warmup:
            return self.learning_rate * min(1.0, (step + 1) / warmup)
        progress = (step - warmup) / max(1.0, num_steps - warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class Recipe(Spec):
    """One trained network: data, coding, network, neuron and how it is trained.

    Args:
        name: What the run is called in tables; it has no influence on what is computed.
        num_steps: T; the ReLU twin runs at 1.
    """

    name: str
    data: AbstractDataset
    coding: AbstractCoding
    network: AbstractNetwork
    neuron: AbstractNeuron
    num_steps: int
    objective: AbstractObjective = field(default_factory=CrossEntropy)
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        _require("num_steps", self.num_steps, self.num_steps >= 1, ">= 1")
        is_plain = re.fullmatch(r"\w[\w.+-]*", self.name) is not None
        _require("name", repr(self.name), is_plain, "letters, digits, '.', '_', '+' and '-'")

    def classifier(self) -> ClassifierSpec:
        """Return the specification of the classifier that is trained."""
        return ClassifierSpec(
            blueprint=Blueprint(
                network=self.network,
                neuron=self.neuron,
                num_classes=self.data.num_classes,
                image_shape=self.data.image_shape,
            ),
            coding=self.coding,
            num_steps=self.num_steps,
            mean=self.data.mean,
            std=self.data.std,
        )


def _require(name: str, value: object, is_met: bool, condition: str) -> None:
    if not is_met:
        raise RangeError(f"{name} must be {condition}, got {value}")
