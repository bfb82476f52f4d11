"""rsc-snn search."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import Compile, DataRoot, Device


def command(
    plan: Annotated[
        Path, typer.Argument(help="YAML file: candidates, protocol, objective (docs/search.md).")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of runs and ranking (default: search-PLAN)."),
    ] = None,
    halving: Annotated[
        bool, typer.Option("--halving", help="Climb the plan's rungs; after each the better half goes on.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Run cells on a Ray cluster; local starts one here."),
    ] = None,
    data_root: DataRoot = None,
    device: Device = None,
    compiled: Compile = "auto",
) -> int:
    """Look for the best trade-off: train candidates and rank them on validation images, never on test images.

    What is computed already is kept: the same command goes on where it stopped. The exit status is 1 if a
    candidate failed.
    """
    from rsc_snn.cli.searching import search_and_show

    return search_and_show(
        plan,
        out=out,
        is_halving=halving,
        ray=ray,
        data_root=data_root,
        device=device,
        compiled=compiled,
    )
