"""Recipes cut down to a budget, and in which words they differ from the full ones."""

from collections.abc import Sequence

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.budget import Budget
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.experiments.cells import Network
from rsc_snn.experiments.settings import with_settings
from rsc_snn.objectives.teachers import teachers_of
from rsc_snn.training import Recipe, TrainedTeacher

_TEACHER = "objective.teacher.recipe."


def network_for(budget: Budget, base: str, arm: Arm, seed: int) -> Network:
    """Return the network of an arm under a budget.

    Settings of the arm that change nothing any more are left out, so that arms that come to the same are one
    network.

    Args:
        budget: How far it is cut down, or what stands in for it.
        base: DATASET-NETWORK of the paper's.
        arm: METHOD of a recipe's name, and what is set beyond the budget.
        seed: Of the training.
    """
    base = budget.stand_in or base
    full = by_name(f"{base}-{arm.method}")
    settings = list(budget.settings_for(base, full))
    for teacher in _trained_teachers(full):
        settings += [_TEACHER + word for word in budget.settings_for(base, teacher)]
    recipe = with_settings(full, settings)
    for setting in arm.settings:
        changed = with_settings(recipe, (setting,))
        if changed != recipe:
            settings.append(setting)
        recipe = changed
    return Network(recipe=recipe, seed=seed, settings=tuple(settings))


def reductions(network: Network, settings: Sequence[str] = ()) -> tuple[str, ...]:
    """Say how a network is smaller than the full recipe of its name, a few words for each difference.

    Args:
        network: The network.
        settings: ``--set`` words that the full recipe has too: what an experiment varies is no reduction.
    """
    full, ours = with_settings(by_name(network.recipe.name), settings), network.recipe
    told: list[str] = []
    if ours.training.epochs != full.training.epochs:
        told.append(f"{ours.training.epochs} of {full.training.epochs} epochs")
    if ours.training.num_images is not None and ours.training.num_images != full.training.num_images:
        told.append(f"{ours.training.num_images - ours.training.num_validation:,} training images")
    if ours.training.batch_size != full.training.batch_size:
        told.append(f"batch {ours.training.batch_size} for {full.training.batch_size}")
    if ours.training.learning_rate != full.training.learning_rate:
        told.append(f"rate {ours.training.learning_rate:g} for {full.training.learning_rate:g}")
    if ours.num_steps != full.num_steps:
        told.append(f"T={ours.num_steps} for {full.num_steps}")
    for field, words in (("hidden_width", "hidden width"), ("width_divisor", "width divided by")):
        before, after = getattr(full.network, field, None), getattr(ours.network, field, None)
        if before != after:
            told.append(f"{words} {after}" + (f" for {before}" if field == "hidden_width" else ""))
    return tuple(told)


def stand_in(network: Network, dataset: str, architecture: str) -> str:
    """Say what was measured in place of the paper's data set and network."""
    recipe = network.recipe
    return (
        f"{recipe.data.name}, {type(recipe.network).__name__} of hidden width "
        f"{getattr(recipe.network, 'hidden_width', '-')}, T={recipe.num_steps}, in place of {dataset} "
        f"{architecture}"
    )


def _trained_teachers(recipe: Recipe) -> list[Recipe]:
    return [t.recipe for t in teachers_of(recipe.objective) if isinstance(t, TrainedTeacher)]
