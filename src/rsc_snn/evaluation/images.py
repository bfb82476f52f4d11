"""Which images a run is evaluated on, and which it may be tuned on."""

from pathlib import Path
from typing import Any

from rsc_snn.data import AbstractDataset, AbstractImageSet
from rsc_snn.data import load as load_data
from rsc_snn.errors import InputError
from rsc_snn.evaluation.held_back import DEFAULT_VALIDATION
from rsc_snn.runs.folder import RunFolder
from rsc_snn.spec import from_data


def test_images(folder: RunFolder, data_root: str | Path | None, limit: int | None) -> AbstractImageSet:
    """Return the first ``limit`` test images of a run's data set, or all."""
    return load_data(_dataset(folder), data_root, "test").at(slice(limit))


def validation_images(folder: RunFolder, data_root: str | Path | None) -> AbstractImageSet:
    """Return what the run's training held back; of a run without a recipe, some training images."""
    spec = folder.read_spec()
    recipe = spec.get("recipe")
    training: dict[str, Any] = recipe.get("training", {}) if isinstance(recipe, dict) else {}
    count = training.get("num_validation") or DEFAULT_VALIDATION
    full = load_data(_dataset(folder), data_root, "train").at(slice(training.get("num_images")))
    _, validation = full.carve(min(count, len(full) // 2), seed=int(spec.get("seed") or 0))
    return validation


def _dataset(folder: RunFolder) -> AbstractDataset | str:
    spec = folder.read_spec()
    recipe = spec.get("recipe")
    if isinstance(recipe, dict) and "data" in recipe:
        return from_data(recipe["data"], AbstractDataset, where="run.yaml: recipe.data")
    name = spec.get("data")
    if not isinstance(name, str):
        raise InputError(f"{str(folder.spec)!r} does not name its data set; set 'data: NAME' there")
    return name
