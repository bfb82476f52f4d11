"""The run folder of a training run: whether it may be used, and what is written first."""

from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs.files import read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reduction import is_reduced
from rsc_snn.runs.specification import SCHEMA, require_schema
from rsc_snn.spec import from_data, to_data
from rsc_snn.training.recipe import Recipe


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


def require_place(folder: RunFolder, recipe: Recipe, seed: int, *, resume: bool) -> None:
    """Raise RunFolderError unless the folder is free, or holds this very run and ``resume`` is asked for."""
    if not folder.exists():
        return
    if is_reduced(folder):
        raise RunFolderError(
            f"{str(folder.path)!r} holds a network of the zoo or another reduced one (half precision), which "
            "cannot be trained on; choose another --out"
        )
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


def require_same_data(folder: RunFolder, data: dict[str, object]) -> None:
    """Raise RunFolderError if the run was begun on other training images."""
    earlier = next(
        (e["data"] for e in read_environments(folder.environment) if "train" in e.get("data", {})), data
    )
    if earlier != data:
        raise RunFolderError(
            f"{str(folder.path)!r} was begun on other training images ({earlier['num_images']}); resume it "
            "with the same --data-root"
        )


def write_specification(folder: RunFolder, recipe: Recipe, seed: int) -> None:
    """Write run.yaml."""
    folder.write_spec(
        {
            "schema": SCHEMA,
            "seed": seed,
            "data": recipe.data.name,
            "recipe": to_data(recipe),
            "classifier": to_data(recipe.classifier()),
        }
    )


def _first_difference(earlier: Recipe, recipe: Recipe) -> str:
    old, new = to_data(earlier), to_data(recipe)
    for name in old:
        if old[name] != new[name]:
            return f"{name} differs"
    return "the seed differs"
