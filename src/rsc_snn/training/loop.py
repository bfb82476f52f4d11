"""The one training loop: recipe in, run folder out."""

import math
import signal
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import AbstractImageSet, ImageSet, load, to_pixels
from rsc_snn.errors import DivergedError, InputError, RunFolderError
from rsc_snn.interruption import Interrupted, deferred_signals
from rsc_snn.rng import Streams, derived_generator
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.files import append_rows, cut_rows, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import SCHEMA, has_finite_weights, require_schema, save_weights
from rsc_snn.spec import from_data, to_data
from rsc_snn.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from rsc_snn.training.display import Display, SilentDisplay
from rsc_snn.training.recipe import Recipe

_DRAWS_PER_EPOCH = 2**12


def train(
    recipe: Recipe,
    out: str | Path,
    *,
    seed: int = 0,
    resume: bool = False,
    data_root: str | Path | None = None,
    device: str | torch.device = "cpu",
    display: Display | None = None,
) -> SpikingClassifier:
    """Train a recipe into a run folder and return the classifier in eval mode.

    Weights, order, augmentation and noise follow from ``seed``; on a CPU a run that was killed and
    resumed ends with the same bits as one that was not.

    Args:
        recipe: What to train.
        out: Run folder; it must not hold a run unless ``resume``.
        seed: Any integer.
        resume: Go on from the last checkpoint of ``out``, which must be of the same recipe and seed.
        data_root: See ``rs.data.load``.
        device: Any torch device.
        display: Where progress is shown; None is nowhere.

    Raises:
        InputError: bad arguments, missing data, or a folder that does not fit.
        Interrupted: SIGINT or SIGTERM came; a checkpoint was saved first.
    """
    folder, place = RunFolder(Path(out)), torch.device(device)
    with folder.locked():
        _require_place(folder, recipe, seed, resume)
        full = load(recipe.data, data_root, "train").at(slice(recipe.training.num_images))
        trained, validation = full.carve(recipe.training.num_validation, seed=seed)
        if len(trained) < recipe.training.batch_size:
            raise InputError(
                f"training.batch_size {recipe.training.batch_size} exceeds the {len(trained)} training "
                "images; make it smaller"
            )
        classifier = _build(recipe, seed, place)
        data = {"train": full.fingerprint(), "num_images": len(full)}
        if folder.exists():
            _require_same_data(folder, data)
        else:
            _write_specification(folder, recipe, seed)
        write_environment(folder.environment, describe_environment(place, seed=seed, data=data))
        run = _Run(folder, recipe, seed, classifier, display or SilentDisplay())
        return run.complete(trained.to(place), validation.to(place))


def _build(recipe: Recipe, seed: int, device: torch.device) -> SpikingClassifier:
    try:
        return recipe.classifier().build(derived_generator(seed, "init")).to(device)
    except (RuntimeError, MemoryError) as err:
        reason = str(err).splitlines()[0]
        raise InputError(f"cannot build {recipe.network} on {device}: {reason}; make it smaller") from err


def read_recipe(folder: RunFolder) -> tuple[Recipe, int]:
    """Return the recipe and seed of a run that was trained by this library.

    Raises:
        RunFolderError, InputError: there is no run, or it was saved by hand without a recipe.
    """
    data = require_schema(folder.read_spec(), folder)
    if data.get("recipe") is None:
        raise RunFolderError(f"{str(folder.spec)!r} has no recipe: it was saved by hand, not trained")
    seed = data.get("seed", 0)
    if not isinstance(seed, int):
        raise InputError(f"run.yaml: seed expects int, got {seed!r}")
    return from_data(data["recipe"], Recipe, where="run.yaml: recipe"), seed


def _require_place(folder: RunFolder, recipe: Recipe, seed: int, resume: bool) -> None:
    if not folder.exists():
        return
    if not resume:
        raise RunFolderError(
            f"{str(folder.path)!r} already holds a run; continue it with --resume or choose another --out"
        )
    earlier, earlier_seed = read_recipe(folder)
    if (earlier, earlier_seed) != (recipe, seed):
        raise RunFolderError(
            f"{str(folder.path)!r} holds another run ({earlier.name}, seed {earlier_seed}; "
            f"{_first_difference(earlier, recipe)}); resume it with its own run.yaml"
        )


def _require_same_data(folder: RunFolder, data: dict[str, object]) -> None:
    earlier = next(
        (e["data"] for e in read_environments(folder.environment) if "train" in e.get("data", {})), data
    )
    if earlier != data:
        raise RunFolderError(
            f"{str(folder.path)!r} was begun on other training images ({earlier['num_images']}); resume it "
            "with the same --data-root"
        )


def _first_difference(earlier: Recipe, recipe: Recipe) -> str:
    old, new = to_data(earlier), to_data(recipe)
    for name in old:
        if old[name] != new[name]:
            return f"{name} differs"
    return "the seed differs"


def _write_specification(folder: RunFolder, recipe: Recipe, seed: int) -> None:
    folder.write_spec(
        {
            "schema": SCHEMA,
            "seed": seed,
            "data": recipe.data.name,
            "recipe": to_data(recipe),
            "classifier": to_data(recipe.classifier()),
        }
    )


class _Run:
    """A run in progress: the objects that its steps change."""

    def __init__(
        self, folder: RunFolder, recipe: Recipe, seed: int, classifier: SpikingClassifier, display: Display
    ):
        self.folder, self.recipe, self.seed = folder, recipe, seed
        self.classifier, self.display = classifier, display
        settings = recipe.training
        self.optimizer = torch.optim.SGD(
            self.classifier.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        self.progress = load_checkpoint(folder, self.classifier, self.optimizer)
        folder.epoch_rows()  # checked before anything is cut
        cut_rows(folder.training, keep=lambda row: row["epoch"] <= self.progress.epoch)

    def complete(self, trained: AbstractImageSet, validation: AbstractImageSet) -> SpikingClassifier:
        """Do the epochs that are left and write the weights."""
        steps_per_epoch = len(trained) // self.recipe.training.batch_size
        with deferred_signals() as received, self.display.shown(self.recipe, steps_per_epoch):
            while self.progress.epoch < self.recipe.training.epochs:
                self._epoch(trained, steps_per_epoch, received)
                self._finish_epoch(validation, steps_per_epoch)
        save_weights(self.folder, self.classifier)
        return self.classifier.eval()

    def _epoch(
        self, trained: AbstractImageSet, num_steps: int, received: Callable[[], signal.Signals | None]
    ) -> None:
        progress, settings = self.progress, self.recipe.training
        order = torch.randperm(len(trained), generator=derived_generator(self.seed, "order", progress.epoch))
        pending: list[Tensor] = []
        clock = time.perf_counter()
        while progress.step < num_steps:
            start = progress.step * settings.batch_size
            self._set_rate(progress.epoch * num_steps + progress.step, num_steps)
            pending.append(self._step(trained.at(order[start : start + settings.batch_size]).fetch()))
            progress.step += 1
            stop, is_last = received(), progress.step == num_steps
            is_checkpoint = bool(stop) or progress.step % settings.checkpoint_every == 0
            if not (is_checkpoint or is_last or self.display.is_due()):
                continue  # reading the losses would wait for the device
            for loss, num_correct in torch.stack(pending).tolist():
                progress.loss_sum += loss
                progress.num_correct += int(num_correct)
            pending.clear()
            self._require_finite(is_saved=is_checkpoint or is_last)
            progress.seconds += time.perf_counter() - clock
            clock = time.perf_counter()
            self.display.step(progress)
            if is_checkpoint and not is_last:
                save_checkpoint(self.folder, self.classifier, self.optimizer, progress)
            if stop and not is_last:
                raise Interrupted(stop)

    def _set_rate(self, step: int, steps_per_epoch: int) -> None:
        rate = self.recipe.training.learning_rate_at(step, steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _step(self, batch: ImageSet) -> Tensor:
        """Update the weights once; return the loss and the number of right answers, float32 [2]."""
        recipe = self.recipe
        self.classifier.train()
        images = batch.images
        if recipe.training.augment:
            images = recipe.data.augment(images, generator=self._streams("augment", batch))
        noise = self._streams("train", batch)
        loss, logits_BK = recipe.objective.loss_and_logits(
            self.classifier, to_pixels(images), batch.labels, generator=noise
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        correct = (logits_BK.argmax(1) == batch.labels).sum()
        return torch.stack([loss.detach().float(), correct.float()])

    def _streams(self, purpose: str, batch: ImageSet) -> Streams:
        """Streams whose draws no other epoch uses."""
        first = self.progress.epoch * _DRAWS_PER_EPOCH
        return Streams(self.seed, purpose, batch.indices).starting_at(first)

    def _require_finite(self, *, is_saved: bool) -> None:
        """Raise if the loss is not finite, or the weights are not and would now be saved."""
        is_loss_finite = math.isfinite(self.progress.loss_sum)
        if not is_loss_finite or (is_saved and not has_finite_weights(self.classifier)):
            raise DivergedError(
                f"loss or weights are not finite in epoch {self.progress.epoch + 1}; lower "
                "training.learning_rate or lengthen training.warmup_epochs, in a new run folder"
            )

    def _finish_epoch(self, validation: AbstractImageSet, num_steps: int) -> None:
        """Write the row of the epoch, then the checkpoint that counts it."""
        progress, settings = self.progress, self.recipe.training
        num_seen = num_steps * settings.batch_size
        row = {
            "epoch": progress.epoch + 1,
            "loss": progress.loss_sum / num_steps,
            "train_accuracy": progress.num_correct / num_seen,
            "validation_accuracy": self._accuracy(validation),
            "num_train": num_seen,
            "num_validation": len(validation),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "images_per_second": round(num_seen / progress.seconds, 2),
            "seconds": round(progress.seconds, 3),
        }
        append_rows(self.folder.training, [row])
        self.progress = Progress(epoch=progress.epoch + 1)
        save_checkpoint(self.folder, self.classifier, self.optimizer, self.progress)
        self.display.epoch(row)

    @torch.no_grad()
    def _accuracy(self, images: AbstractImageSet) -> float | None:
        """Share of right answers of one noise draw per image, in eval mode; None without images."""
        if len(images) == 0:
            return None
        self.classifier.eval()
        num_correct, size = 0, self.recipe.training.batch_size
        for start in range(0, len(images), size):
            batch = images.at(slice(start, start + size)).fetch()
            noise = Streams(self.seed, "validate", batch.indices).at(self.progress.epoch)
            logits_BK = self.classifier.logits(batch.pixels(), noise)
            num_correct += int((logits_BK.argmax(1) == batch.labels).sum())
        return num_correct / len(images)
