"""How the network of a run folder was made, in the few words of a footnote. Needs no torch."""

from collections.abc import Mapping
from typing import Any

from rsc_snn.errors import RunFolderError
from rsc_snn.report.card_origin import words_of
from rsc_snn.runs.folder import RunFolder

_WIDTHS = {"hidden_width": "hidden width", "width_divisor": "width divided by"}
_PLAIN, _EXACT = "CrossEntropy", "float32"


def recipe_words(run: RunFolder) -> str:
    """Return name, coding, epochs, T, width and training of a run's recipe, from run.yaml.

    Raises:
        RunFolderError: run.yaml is missing or damaged.
    """
    spec = run.read_spec()
    recipe = spec.get("recipe")
    if recipe is None:
        return "saved by hand, its recipe is not recorded"
    try:
        parts = _parts(recipe)
    except (KeyError, TypeError, AttributeError, ValueError) as err:
        raise RunFolderError(f"{str(run.spec)!r} has a recipe without {err}; restore the file") from err
    return ", ".join(parts)


def _parts(recipe: Mapping[str, Any]) -> list[str]:
    training, network = recipe["training"], recipe["network"]
    epochs, images = training["epochs"], training.get("num_images")
    return [
        f"recipe {recipe['name']}",
        f"coding {words_of(recipe['coding'])}",
        f"{epochs:g} epoch{'' if epochs == 1 else 's'}",
        *([f"{images - training['num_validation']:,} training images"] if images is not None else []),
        f"T={recipe['num_steps']}",
        *(f"{words} {network[name]}" for name, words in _WIDTHS.items() if network.get(name, 1) != 1),
        f"batch {training['batch_size']}",
        f"rate {training['learning_rate']:g}",
        *([f"products in {precision}"] if (precision := training.get("precision", _EXACT)) != _EXACT else []),
        f"trained by {_objective(recipe['objective'])}",
    ]


def _objective(objective: Mapping[str, Any]) -> str:
    """CrossEntropy; "Adversarial on PGD images of eps 8/255 (steps 1)"; the loss within, unless plain."""
    inner, attack = objective.get("objective"), objective.get("attack")
    words = str(objective["kind"])
    if inner and inner["kind"] != _PLAIN:
        words += f" of {_objective(inner)}"
    if attack:
        steps = attack.get("num_steps")
        words += f" on {attack['kind']} images of eps {round(255 * attack['eps'], 2):g}/255"
        words += "" if steps is None else f" ({steps} step{'' if steps == 1 else 's'})"
    return words
