"""Teachers of a training run: trained first, or loaded, and kept ready in memory."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from rsc_snn.classifier import AbstractClassifier, SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.networks import BuiltNetwork
from rsc_snn.objectives import AbstractObjective, AbstractTeacher, GivenTeacher
from rsc_snn.objectives.teachers import replace_teachers, teachers_of
from rsc_snn.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainedTeacher(AbstractTeacher):
    """A teacher that training makes first, in the folder ``teacher`` of the student's run.

    Args:
        recipe: Of the teacher; it is trained with the seed of the student's run.
    """

    recipe: Recipe

    def module(self, device: torch.device) -> nn.Module:
        """Raise: outside of training there is nobody to train it."""
        raise InputError(
            f"the teacher {self.recipe.name!r} is trained by rs.training.train; to use the objective alone, "
            "give a classifier or the path of a run folder"
        )


def require_teachers(recipe: Recipe) -> list[Recipe]:
    """Return the recipes of the teachers that are to be trained.

    Raises:
        InputError: a teacher cannot be loaded, or is for other classes or images than the recipe.
    """
    trained: list[Recipe] = []
    for teacher in teachers_of(recipe.objective):
        if isinstance(teacher, TrainedTeacher):
            trained.append(teacher.recipe)
            with torch.device("meta"):
                module: nn.Module = teacher.recipe.classifier().blueprint.build()
        else:
            module = teacher.module(torch.device("cpu"))
        _require_fitting(module, recipe)
    return trained


def ready(
    objective: AbstractObjective,
    device: torch.device,
    dtype: torch.dtype,
    *,
    train_teacher: Callable[[Recipe], AbstractClassifier],
) -> AbstractObjective:
    """Return the objective with every teacher in memory, in eval mode, on the device.

    Args:
        objective: Of the recipe.
        device: Where the student is.
        dtype: Of its images.
        train_teacher: Trains a teacher's recipe, or finds it trained.
    """

    def prepare(teacher: AbstractTeacher) -> AbstractTeacher:
        if isinstance(teacher, TrainedTeacher):
            module: nn.Module = train_teacher(teacher.recipe)
        else:
            module = teacher.module(torch.device("cpu"))
        own = copy.deepcopy(module).to(device, dtype).eval().requires_grad_(False)
        return GivenTeacher(classifier=own)

    return replace_teachers(objective, prepare)


def _require_fitting(module: nn.Module, recipe: Recipe) -> None:
    network = module.network if isinstance(module, SpikingClassifier) else module
    if not isinstance(network, BuiltNetwork):
        return  # a module of the user's own answers for itself at the first batch
    teacher = network.blueprint
    if teacher.num_classes != recipe.data.num_classes:
        raise InputError(
            f"the teacher answers with {teacher.num_classes} classes, {recipe.data.name} has "
            f"{recipe.data.num_classes}; give a teacher that was trained on {recipe.data.name}"
        )
    if teacher.image_shape != recipe.data.image_shape:
        raise InputError(
            f"the teacher takes images of {teacher.image_shape}, {recipe.data.name} has "
            f"{recipe.data.image_shape}; give a teacher that was trained on {recipe.data.name}"
        )
