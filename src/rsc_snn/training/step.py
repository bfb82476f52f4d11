"""One update of the weights: passes, gradients of all processes, optimizer, average."""

import contextlib
from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Generator, Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from rsc_snn.checks import known_images
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import ImageSet, to_pixels
from rsc_snn.errors import InputError
from rsc_snn.networks import backend_of, set_backend, set_checkpointing, synchronise
from rsc_snn.objectives import AbstractObjective
from rsc_snn.processes import Group
from rsc_snn.rng import Streams, derived_generator
from rsc_snn.runs.storage import ClassifierSpec
from rsc_snn.training.recipe import PRECISIONS, Training

DRAWS_PER_EPOCH = 2**12


class Learner(nn.Module):
    """Classifier and objective as one module, whose forward pass is all that a pass of training computes.

    This is what DistributedDataParallel wraps: an objective calls the classifier as often as it likes.
    """

    def __init__(self, classifier: SpikingClassifier, objective: AbstractObjective, precision: str):
        super().__init__()
        self.classifier = classifier
        self.objective = objective
        self.dtype, self.low_dtype = PRECISIONS[precision]

    def forward(self, images: Tensor, labels: Tensor, noise: Streams) -> tuple[Tensor, Tensor]:
        """Return the loss, and how many of the batch are classified right.

        Args:
            images: Bytes [B, C, H, W].
            labels: Class of each image.
            noise: Of the coding and of an adversary.
        """
        pixels = to_pixels(images).to(self.dtype)
        is_low = self.low_dtype is not None
        # not cached: weights that an adversary cast without gradient would be without one afterwards
        autocast = torch.autocast(images.device.type, self.low_dtype, enabled=is_low, cache_enabled=False)
        with known_images(), autocast:
            loss, logits_BK = self.objective.loss_and_logits(self.classifier, pixels, labels, generator=noise)
        return loss, (logits_BK.detach().argmax(1) == labels).sum()


class Stepper:
    """What the steps of a run change: weights, momentum and the average of the weights.

    Args:
        classifier: On the device and in the precision of the run.
        objective: With teachers that are ready to answer.
        settings: Of the recipe.
        seed: Of all noise.
        group: The processes that share the batches.
    """

    def __init__(
        self,
        classifier: SpikingClassifier,
        objective: AbstractObjective,
        settings: Training,
        *,
        seed: int,
        group: Group,
    ):
        self.objective, self.settings, self.seed, self.group = objective, settings, seed, group
        if settings.synchronise_norm and group.size > 1:
            synchronise(classifier)
        set_checkpointing(classifier, settings.recompute_blocks)
        self.classifier = classifier
        self.optimizer = torch.optim.SGD(
            classifier.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        self.average: AveragedModel | None = None
        if settings.ema_decay is not None:
            average = get_ema_multi_avg_fn(settings.ema_decay)
            self.average = AveragedModel(classifier, multi_avg_fn=average, use_buffers=True)
        learner = Learner(classifier, objective, settings.precision)
        self.learner: nn.Module = DistributedDataParallel(learner) if group.size > 1 else learner

    def fresh(self, generator: Generator) -> SpikingClassifier:
        """Return a classifier of the same specification with other weights, which nothing is shared with."""
        other = ClassifierSpec.of(self.classifier).build(generator)
        set_backend(other, backend_of(self.classifier) or "eager")
        set_checkpointing(other, self.settings.recompute_blocks)
        return other

    @property
    def dtype(self) -> torch.dtype:
        """Of weights and images."""
        return PRECISIONS[self.settings.precision][0]

    @property
    def result(self) -> SpikingClassifier:
        """The classifier that is validated and saved: the average, if there is one."""
        return self.classifier if self.average is None else cast(SpikingClassifier, self.average.module)

    def state(self) -> dict[str, object]:
        """Return everything that a resumed run needs, as tensors and numbers."""
        average = None if self.average is None else self.average.state_dict()
        return {
            "classifier": self.classifier.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": average,
        }

    def restore(self, state: dict[str, dict[str, object]]) -> None:
        """Take over the ``state`` of an earlier process."""
        self.classifier.load_state_dict(state["classifier"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def update(self, passes: Sequence[ImageSet], *, epoch: int, step: int, rate: float) -> Float[Tensor, "2"]:
        """Update the weights once.

        Args:
            passes: The images of this process, one set for each pass.
            epoch: Number of the epoch, 0, 1, ...
            step: Number of the step in it.
            rate: Learning rate.

        Returns:
            Mean loss of this process's passes and the number of its right answers, not yet waited for.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.classifier.train()
        self.optimizer.zero_grad(set_to_none=True)
        losses, num_correct = [], []
        for number, batch in enumerate(passes, start=1):
            noise = self._noise(batch, epoch)
            with self._without_exchange() if number < len(passes) else contextlib.nullcontext():
                loss, correct = self.learner(batch.images, batch.labels, noise)
                (loss / len(passes)).backward()
            if noise.next_draw > (epoch + 1) * DRAWS_PER_EPOCH:
                raise InputError(
                    f"a step took more than {DRAWS_PER_EPOCH} draws of noise for an image, which the next "
                    "epoch would repeat; lower the steps or draws of the adversary"
                )
            losses.append(loss.detach().float())
            num_correct.append(correct.float())
        self.optimizer.step()
        chooser = derived_generator(self.seed, "constrain", epoch, step)
        self.objective.constrain(self.classifier, generator=chooser)
        if self.average is not None:
            self.average.update_parameters(self.classifier)
        return torch.stack([torch.stack(losses).mean(), torch.stack(num_correct).sum()])

    def settle(self) -> None:
        """Give every process the running statistics of the first, which are those that are saved.

        Without synchronised normalisation each has seen its own images; DistributedDataParallel evens this
        out at the next forward pass only.
        """
        if self.group.size > 1:
            for buffer in (*self.classifier.buffers(), *self.result.buffers()):
                distributed.broadcast(buffer, src=0)

    def _without_exchange(self) -> contextlib.AbstractContextManager[None]:
        """Gradients stay in this process; the last pass exchanges the sum."""
        learner = self.learner
        return learner.no_sync() if isinstance(learner, DistributedDataParallel) else contextlib.nullcontext()

    def _noise(self, batch: ImageSet, epoch: int) -> Streams:
        """Streams whose draws no other epoch uses."""
        return Streams(self.seed, "train", batch.indices).starting_at(epoch * DRAWS_PER_EPOCH)
