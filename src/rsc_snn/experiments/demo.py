"""The whole story on embedded data: train, attack, compare, report."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rsc_snn.attacks import FGSM, PGD, Entry, Suite
from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.gradients import BPTT
from rsc_snn.training import Recipe, train
from rsc_snn.training.display import Display

METHODS = ("ann", "direct", "poisson", "rsc0.1", "rsc2-0.1")
STRENGTHS = (8 / 255, 16 / 255, 32 / 255)
NUM_IMAGES = 100
NUM_DRAWS = 5
_EPOCHS = 4
_STEP_SIZE = 0.02


def recipes() -> list[Recipe]:
    """Return the demo's networks: the digits recipes, trained for a few epochs only."""
    found = [by_name(f"digits-vgg5-{method}") for method in METHODS]
    return [replace(r, training=replace(r.training, epochs=_EPOCHS)) for r in found]


def suite(eps: float) -> Suite:
    """FGSM and PGD; 7 steps of 0.02 reach every corner of the largest ball."""
    attacks = (FGSM(eps=eps), PGD(eps=eps, step_size=_STEP_SIZE))
    return Suite(name="demo", entries=tuple(Entry(attack=a, gradient=BPTT()) for a in attacks))


def run_demo(
    out: Path,
    *,
    display: Display | None = None,
    on_attack: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> list[Path]:
    """Train and attack every network of the demo; return their run folders.

    Networks and rows that are there already are kept, so a second call ends at once.

    Args:
        out: Folder that gets runs/NAME.
        display: Where training is shown.
        on_attack: Called with the name, the images done and the images in all.

    Raises:
        RunFolderError: a folder of that name holds another run.
    """
    folders = [out / "runs" / recipe.name for recipe in recipes()]
    for recipe, folder in zip(recipes(), folders, strict=True):
        try:
            train(recipe, folder, resume=True, display=display)
        except RunFolderError as err:
            raise RunFolderError(f"{err} (or give the demo a new folder with --out)") from err
    for recipe, folder in zip(recipes(), folders, strict=True):
        name = recipe.name
        evaluate_run(
            folder,
            [suite(eps) for eps in STRENGTHS],
            num_draws=NUM_DRAWS,
            limit=NUM_IMAGES,
            batch_size=NUM_IMAGES,
            on_batch=lambda done, total, name=name: on_attack(name, done, total),  # type: ignore[misc]
        )
    return folders
