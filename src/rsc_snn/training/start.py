"""Starting a training run: recipe in, run folder out."""

import contextlib
from pathlib import Path

import torch

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import load
from rsc_snn.errors import InputError
from rsc_snn.evaluation.held_back import digest_of
from rsc_snn.networks.compiling import asked_to_compile, choice_of
from rsc_snn.outofmemory import memory_told
from rsc_snn.processes import Group, current_group
from rsc_snn.rng import derived_generator
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_run
from rsc_snn.training.backend import require_choice
from rsc_snn.training.checkpoint import remove_checkpoints
from rsc_snn.training.display import Display, SilentDisplay
from rsc_snn.training.loop import Loop
from rsc_snn.training.place import require_place, require_same_data, write_specification
from rsc_snn.training.recipe import PRECISIONS, Recipe, Training
from rsc_snn.training.step import Stepper
from rsc_snn.training.teacher import ready, require_teachers


def train(
    recipe: Recipe,
    out: str | Path,
    *,
    seed: int = 0,
    resume: bool = False,
    data_root: str | Path | None = None,
    device: str | torch.device = "cpu",
    display: Display | None = None,
    compiled: str = "auto",
) -> SpikingClassifier:
    """Train a recipe into a run folder and return the classifier in eval mode.

    Weights, order, augmentation and noise follow from ``seed``; on a CPU a run that was killed and
    resumed ends with the same bits as one that was not. A teacher that is a recipe is trained first, into
    ``out``/teacher. Processes that have joined (``rsc_snn.processes``) share every batch; the first writes.

    Args:
        recipe: What to train.
        out: Run folder; it must not hold a run unless ``resume``.
        seed: Any integer.
        resume: Go on from the last checkpoint of ``out``, which must be of the same recipe and seed.
        data_root: See ``rs.data.load``.
        device: Any torch device.
        display: Where progress is shown; None is nowhere.
        compiled: "on", "off" or "auto": whether neurons are computed by kernels that torch compiles first;
            "auto" is that of the run that is resumed, else by the time that the run takes without.

    Raises:
        InputError: bad arguments, missing data, or a folder that does not fit.
        OutOfMemoryError: the device has too little memory; the message names a smaller pass.
        DivergedError: loss or weights are no longer finite; the last good checkpoint is kept.
        Interrupted: SIGINT or SIGTERM came; a checkpoint was saved first.
    """
    folder, place, group = RunFolder(Path(out)), torch.device(device), current_group()
    is_compiled = asked_to_compile(compiled)
    _require_shares(recipe, group)
    recipe.objective.require_coding(recipe.coding)
    with contextlib.ExitStack() as stack:
        group.led(lambda: _lock(stack, folder))
        group.led(lambda: require_place(folder, recipe, seed, resume=resume))
        if group.led(folder.weights.is_file):
            group.led(lambda: remove_checkpoints(folder))  # of a run that was killed at its very end
            return group.led(lambda: load_run(folder.path)).to(place)
        group.led(lambda: require_choice(folder, is_compiled, place))
        return _train_into(folder, recipe, seed, data_root, place, display, group, is_compiled)


def _train_into(
    folder: RunFolder,
    recipe: Recipe,
    seed: int,
    data_root: str | Path | None,
    device: torch.device,
    display: Display | None,
    group: Group,
    is_compiled: bool | None,
) -> SpikingClassifier:
    """Train into a folder that is ours: data, teachers, then the loop."""
    settings = recipe.training
    full = group.node_first(lambda: load(recipe.data, data_root, "train")).at(slice(settings.num_images))
    trained, validation = full.carve(settings.num_validation, seed=seed)
    _require_enough(recipe, len(trained))
    for teacher in require_teachers(recipe):
        _require_shares(teacher, group)
        if teacher.data == recipe.data:
            _require_enough(teacher, len(full) - teacher.training.num_validation)
    classifier = _build(recipe, seed, device)
    data: dict[str, object] = {"train": full.fingerprint(), "num_images": len(full)}
    if (leaders := group.led(lambda: data)) != data:
        raise InputError(
            f"this machine's training images ({data['num_images']}) are not those of the first "
            f"({leaders['num_images']}); give every machine the same data"
        )
    group.led(lambda: _begin(folder, recipe, seed, data, digest_of(validation), device, group))

    def train_teacher(teacher: Recipe) -> SpikingClassifier:
        place = folder.teacher
        is_begun = group.led(RunFolder(place).exists)  # it keeps what it began with
        train(
            teacher,
            place,
            seed=seed,
            resume=True,
            data_root=data_root,
            device=device,
            display=display,
            compiled=choice_of(None if is_begun else is_compiled),
        )
        return group.led(lambda: load_run(place))  # as a resumed run finds it

    per_process = settings.images_per_pass // group.size
    with memory_told(f"{per_process} images of {recipe.name} in a pass", _smaller(settings, group)):
        dtype = PRECISIONS[settings.precision][0]
        objective = ready(recipe.objective, device, dtype, train_teacher=train_teacher)
        stepper = Stepper(classifier, objective, settings, seed=seed, group=group)
        shown = display or SilentDisplay()
        loop = Loop(folder, recipe, seed, stepper, group, shown, is_compiled=is_compiled)
        return loop.complete(trained.to(device), validation.to(device))


def _require_enough(recipe: Recipe, num_images: int) -> None:
    if num_images < recipe.training.batch_size:
        raise InputError(
            f"training.batch_size {recipe.training.batch_size} of {recipe.name} exceeds the {num_images} "
            "training images; make it smaller"
        )


def _smaller(settings: Training, group: Group) -> str:
    """The next larger number of passes that every process can share evenly, else a smaller network."""
    for passes in range(2 * settings.accumulation_steps, settings.batch_size // (2 * group.size) + 1):
        if settings.batch_size % (passes * group.size) == 0:
            images = settings.batch_size // (passes * group.size)
            return f"--set training.accumulation_steps={passes}, which is {images} images, in a new run"
    return "a smaller network, num_steps or training.batch_size, in a new run"


def _require_shares(recipe: Recipe, group: Group) -> None:
    settings = recipe.training
    if settings.images_per_pass % group.size:
        raise InputError(
            f"{group.size} processes cannot share passes of {settings.images_per_pass} images "
            f"(batch_size {settings.batch_size} / accumulation_steps {settings.accumulation_steps}) evenly; "
            f"choose a batch_size that is a multiple of {group.size * settings.accumulation_steps}"
        )
    if settings.images_per_pass // group.size < 2:
        raise InputError(
            f"a pass must have at least 2 images in each of the {group.size} processes, got "
            f"{settings.images_per_pass} in all; raise batch_size or lower accumulation_steps"
        )


def _lock(stack: contextlib.ExitStack, folder: RunFolder) -> None:
    stack.enter_context(folder.locked())


def _begin(
    folder: RunFolder,
    recipe: Recipe,
    seed: int,
    data: dict[str, object],
    held_back: str,
    device: torch.device,
    group: Group,
) -> None:
    if folder.exists():
        require_same_data(folder, data)
    else:
        write_specification(folder, recipe, seed)
    facts = describe_environment(device, seed=seed, data=data, held_back=held_back, processes=group.size)
    write_environment(folder.environment, facts)


def _build(recipe: Recipe, seed: int, device: torch.device) -> SpikingClassifier:
    dtype = PRECISIONS[recipe.training.precision][0]
    try:
        return recipe.classifier().build(derived_generator(seed, "init")).to(device, dtype)
    except (RuntimeError, MemoryError) as err:
        reason = str(err).splitlines()[0]
        raise InputError(f"cannot build {recipe.network} on {device}: {reason}; make it smaller") from err
