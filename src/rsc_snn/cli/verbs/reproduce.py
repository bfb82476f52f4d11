"""rsc-snn reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import Compile, DataRoot, Device


def command(
    tables: Annotated[
        list[str],
        typer.Argument(metavar="TABLE...", help="table1 ... figure3, all or questions; see 'list tables'."),
    ],
    budget: Annotated[
        str,
        typer.Option("--budget", help="smoke (digits), small or short (an evening on a CPU) or paper (all)."),
    ] = "short",
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="D", help="Only this data set, such as cifar10.")
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option("--rows", metavar="R", help="Only these rows, with commas: Direct,RSC-0.1."),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", help="Train every network with seeds 0 ... N-1.")
    ] = 1,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", help="At most the first N test images, in every cell."),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Run cells on a Ray cluster; local starts one here."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of runs and page (default: reproduction-BUDGET)."),
    ] = None,
    data_root: DataRoot = None,
    device: Device = None,
    compiled: Compile = "auto",
) -> int:
    """Reproduce tables and figures of the paper: networks, attacks, and a page beside the paper's numbers.

    What is computed already is kept: the same command goes on where it stopped. The exit status is 1 if a
    cell failed.
    """
    from rsc_snn.cli.reproducing import Wish, reproduce_and_show

    wish = Wish(
        tables=tuple(tables),
        budget=budget,
        dataset=dataset,
        rows=rows,
        seeds=seeds,
        limit=limit,
        ray=ray,
        out=out,
        data_root=data_root,
        device=device,
        compiled=compiled,
    )
    return reproduce_and_show(wish)
