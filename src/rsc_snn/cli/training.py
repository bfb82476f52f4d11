"""Training from the command line: reading the recipe and its settings, and saying how to go on."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rsc_snn.cli.options import read_device
from rsc_snn.cli.printing import launcher, make_console, program
from rsc_snn.data import data_root as find_root
from rsc_snn.errors import InputError
from rsc_snn.experiments.catalogue import resolve
from rsc_snn.experiments.settings import with_settings
from rsc_snn.interruption import Interrupted
from rsc_snn.networks.compiling import asked_to_compile
from rsc_snn.processes import joined
from rsc_snn.runs.folder import RunFolder
from rsc_snn.training import Recipe, train
from rsc_snn.training.display import ConsoleDisplay


def read_recipe(reference: str, settings: Sequence[str]) -> tuple[Recipe, int]:
    """Return the recipe with ``settings`` (FIELD=VALUE) applied, and the seed that it was recorded with."""
    recipe, seed = resolve(reference)
    return with_settings(recipe, settings), seed or 0


def train_into(
    recipe: Recipe,
    out: Path | None,
    *,
    seed: int,
    resume: bool,
    data_root: Path | None,
    device: str | None,
    compiled: str = "auto",
) -> None:
    """Train a recipe into a run folder (default runs/NAME), showing progress."""
    asked_to_compile(compiled)
    folder = Path("runs") / recipe.name if out is None else out
    if folder == Path():
        raise InputError("--out expects a folder for the run, got the current folder; name a new one")
    place = read_device(device)
    recipe.data.locate(find_root(data_root))
    console = make_console()
    with joined(place) as group:
        display = ConsoleDisplay(console) if group.leads else None
        try:
            train(
                recipe,
                folder,
                seed=seed,
                resume=resume,
                data_root=data_root,
                device=place,
                display=display,
                compiled=compiled,
            )
        except Interrupted:
            if group.leads:
                _say_how_to_go_on(console, folder, data_root, device)
            raise
        if group.leads:
            next_command = shlex.join([program(), "attack", str(folder)])
            console.print(f"trained into {folder}; next: {next_command}", soft_wrap=True)


def _say_how_to_go_on(console: Console, folder: Path, data_root: Path | None, device: str | None) -> None:
    if not RunFolder(folder).exists():  # a teacher may be in the middle of its training
        return
    words = [*launcher(), "train", str(folder / "run.yaml"), "--out", str(folder), "--resume"]
    words += ["--data-root", str(data_root)] if data_root else []
    words += ["--device", device] if device else []
    console.print(f"saved; continue with: {shlex.join(words)}", soft_wrap=True)
