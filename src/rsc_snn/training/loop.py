"""The one training loop: epochs of steps, rows, checkpoints."""

import contextlib
import itertools
import math
import signal
import time
from collections.abc import Callable, Generator, Iterator

import torch
from torch import Tensor

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import (
    AbstractImageSet,
    Augmentation,
    FileSet,
    ImageSet,
    default_num_workers,
    worker_deaths_told,
)
from rsc_snn.errors import DivergedError, InputError
from rsc_snn.interruption import Interrupted, deferred_signals
from rsc_snn.processes import Group
from rsc_snn.rng import Streams, derived_generator
from rsc_snn.runs.files import append_rows, cut_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import has_finite_weights, save_weights
from rsc_snn.training.backend import settle
from rsc_snn.training.checkpoint import (
    Progress,
    read_checkpoint,
    remove_checkpoints,
    require_fitting,
    save_checkpoint,
)
from rsc_snn.training.display import Display
from rsc_snn.training.estimate import estimate
from rsc_snn.training.recipe import Recipe
from rsc_snn.training.step import DRAWS_PER_EPOCH, Stepper
from rsc_snn.training.waiting import waiting_of

_STARVING = 0.05  # share of an epoch


class Loop:
    """A run in progress.

    ``is_compiled`` says whether neurons are computed by compiled kernels; None decides by what the run takes.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        seed: int,
        stepper: Stepper,
        group: Group,
        display: Display,
        *,
        is_compiled: bool | None = None,
    ):
        self.folder, self.recipe, self.seed = folder, recipe, seed
        self.stepper, self.group, self.display = stepper, group, display
        self._is_compiled = is_compiled
        chosen = recipe.training.num_workers
        self._num_workers = default_num_workers(group.local_size) if chosen is None else chosen
        self._device = next(stepper.classifier.parameters()).device
        self.progress = Progress()
        if found := group.led(lambda: read_checkpoint(folder)):
            state, self.progress = found
            require_fitting(folder, stepper.restore, state)
        group.led(lambda: _cut(folder, self.progress.epoch))

    def complete(self, trained: AbstractImageSet, validation: AbstractImageSet) -> SpikingClassifier:
        """Do the epochs that are left and write the weights."""
        steps_per_epoch = len(trained) // self.recipe.training.batch_size
        left = self.recipe.training.epochs * steps_per_epoch - self.progress.steps_done(steps_per_epoch)
        data, stepper = self.recipe.data, self.stepper
        known = settle(stepper, data, self.folder, self._is_compiled, num_steps=left)
        self.display.expect(lambda: known or estimate(stepper, data, num_steps=left))
        with deferred_signals() as received, self.display.shown(self.recipe, steps_per_epoch):
            while self.progress.epoch < self.recipe.training.epochs:
                self._epoch(trained, steps_per_epoch, received)
                self._finish_epoch(validation, steps_per_epoch, is_streamed=isinstance(trained, FileSet))
        self.group.led(self._save_result)
        return self.stepper.result.eval()

    def _save_result(self) -> None:
        save_weights(self.folder, self.stepper.result)
        remove_checkpoints(self.folder)

    def _epoch(
        self, trained: AbstractImageSet, num_steps: int, received: Callable[[], signal.Signals | None]
    ) -> None:
        progress, settings = self.progress, self.recipe.training
        pending: list[Tensor] = []
        clock, waiting = time.perf_counter(), waiting_of(self._device)
        with _watched(self._passes(trained, num_steps)) as stream:
            passes = _never_empty(waiting.timed(stream))
            while progress.step < num_steps:
                own = list(itertools.islice(passes, settings.accumulation_steps))
                rate = settings.learning_rate_at(progress.epoch * num_steps + progress.step, num_steps)
                result = self.stepper.update(own, epoch=progress.epoch, step=progress.step, rate=rate)
                num_seen = result.new_tensor([sum(map(len, own))])
                pending.append(torch.cat([result, num_seen]))
                progress.step += 1
                stop, is_shown = self.group.agree(received() or 0, int(self.display.is_due()))
                is_last = progress.step == num_steps
                is_checkpoint = progress.step % settings.checkpoint_every == 0 and not is_last
                is_checkpoint |= bool(stop)
                if not (is_checkpoint or is_last or is_shown):
                    continue  # reading the losses would wait for the device
                self._count(pending, is_saved=is_checkpoint or is_last)
                progress.waiting_seconds += waiting.taken()
                progress.seconds += time.perf_counter() - clock
                clock = time.perf_counter()
                self.display.step(progress)
                if is_checkpoint:
                    self._save()
                if stop:
                    raise Interrupted(signal.Signals(stop))

    def _passes(self, trained: AbstractImageSet, num_steps: int) -> Generator[ImageSet, None, None]:
        """The images of this process, pass after pass, from the step where the run stands."""
        settings, epoch = self.recipe.training, self.progress.epoch
        order = torch.randperm(len(trained), generator=derived_generator(self.seed, "order", epoch))
        used = order[: num_steps * settings.batch_size].reshape(-1, settings.images_per_pass)
        shares = used.chunk(self.group.size, dim=1)[self.group.rank]
        left = shares[self.progress.step * settings.accumulation_steps :]
        draw = epoch * DRAWS_PER_EPOCH
        alter = Augmentation(dataset=self.recipe.data, seed=self.seed, draw=draw)
        return trained.stream(
            list(left),
            device=self._device,
            augmentation=alter if settings.augment else None,
            num_workers=self._num_workers,
        )

    def _count(self, pending: list[Tensor], *, is_saved: bool) -> None:
        """Add what the steps found, in all processes, to the progress; raise if it is not finite."""
        losses, correct, seen = torch.stack(pending).double().sum(0).tolist()
        pending.clear()
        loss, num_correct, num_seen = self.group.total(losses, correct, seen)
        self.progress.loss_sum += loss / self.group.size
        self.progress.num_correct += int(num_correct)
        self.progress.num_seen += int(num_seen)
        is_finite = math.isfinite(self.progress.loss_sum)
        is_finite &= not is_saved or has_finite_weights(self.stepper.classifier)
        if self.group.agree(int(not is_finite)) != [0]:
            raise DivergedError(
                f"loss or weights are not finite in epoch {self.progress.epoch + 1}; lower "
                "training.learning_rate or lengthen training.warmup_epochs, in a new run folder"
            )

    def _save(self) -> None:
        self.group.led(lambda: save_checkpoint(self.folder, self.stepper.state(), self.progress))

    def _finish_epoch(self, validation: AbstractImageSet, num_steps: int, *, is_streamed: bool) -> None:
        """Write the row of the epoch, then the checkpoint that counts it."""
        progress, settings = self.progress, self.recipe.training
        self.stepper.settle()
        accuracy, num_validated = self._accuracy(validation)
        num_asked = num_steps * settings.batch_size
        waiting = self.group.agree(round(1000 * progress.waiting_seconds))[0] / 1000  # of who waited most
        row = {
            "epoch": progress.epoch + 1,
            "loss": progress.loss_sum / num_steps,
            "train_accuracy": progress.num_correct / progress.num_seen,
            "validation_accuracy": accuracy,
            "num_train": progress.num_seen,
            "num_skipped": num_asked - progress.num_seen,
            "num_validation": num_validated,
            "learning_rate": self.stepper.optimizer.param_groups[0]["lr"],
            "images_per_second": round(progress.num_seen / progress.seconds, 2),
            "seconds": round(progress.seconds, 3),
            "waiting_seconds": waiting,
        }
        self.group.led(lambda: append_rows(self.folder.training, [row]))
        self.progress = Progress(epoch=progress.epoch + 1)
        self._save()
        self.display.epoch(row)
        if is_streamed and waiting > _STARVING * progress.seconds:
            self.display.starving(waiting / progress.seconds, num_workers=self._num_workers)

    @torch.no_grad()
    def _accuracy(self, images: AbstractImageSet) -> tuple[float | None, int]:
        """Share of right answers, of one noise draw per image in eval mode, and how many images it is of."""
        classifier, group = self.stepper.result.eval(), self.group
        size = self.recipe.training.images_per_pass // group.size
        own = list(torch.arange(len(images)).split(size))[group.rank :: group.size]
        num_correct = num_seen = 0
        with _watched(images.stream(own, device=self._device, num_workers=self._num_workers)) as stream:
            for batch in stream:
                if len(batch) == 0:
                    continue
                noise = Streams(self.seed, "validate", batch.indices).at(self.progress.epoch)
                logits_BK = classifier.logits(batch.pixels().to(classifier.mean.dtype), noise)
                num_correct += int((logits_BK.argmax(1) == batch.labels).sum())
                num_seen += len(batch)
        correct, seen = group.total(num_correct, num_seen)
        return (correct / seen if seen else None), int(seen)


def _never_empty(stream: Iterator[ImageSet]) -> Iterator[ImageSet]:
    """Repeat an earlier pass in place of one of which fewer than two images can be decoded.

    Every process must take part in every pass, and normalisation needs two images.
    """
    spare: ImageSet | None = None
    for batch in stream:
        spare = batch if len(batch) >= 2 else spare
        if spare is None:
            raise InputError(
                "fewer than two images of the first pass can be decoded; check the images that were named"
            )
        yield spare


@contextlib.contextmanager
def _watched(stream: Generator[ImageSet, None, None]) -> Iterator[Iterator[ImageSet]]:
    """Stop the workers behind a stream, however the context is left, and tell of one that died in a line."""
    with contextlib.closing(stream), worker_deaths_told():
        yield stream


def _cut(folder: RunFolder, num_epochs: int) -> None:
    folder.epoch_rows()  # checked before anything is cut
    cut_rows(folder.training, keep=lambda row: row["epoch"] <= num_epochs)
