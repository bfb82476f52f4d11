"""rsc-snn train."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import Compile, DataRoot, Device, Seed


def command(
    recipe: Annotated[str, typer.Argument(help="DATASET-NETWORK-METHOD, module:function, or a run.yaml.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=V", help="Change a field of the recipe; repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RUN", help="Run folder (default: runs/RECIPE).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint of the run folder.")
    ] = False,
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    compiled: Compile = "auto",
) -> None:
    """Train a network into a run folder. 'rsc-snn list recipes' shows the names."""
    from rsc_snn.cli.training import read_recipe, train_into
    from rsc_snn.memory import keep_freed_memory

    keep_freed_memory()
    chosen, recorded_seed = read_recipe(recipe, settings or [])
    train_into(
        chosen,
        out,
        seed=recorded_seed if seed is None else seed,
        resume=resume,
        data_root=data_root,
        device=device,
        compiled=compiled,
    )
