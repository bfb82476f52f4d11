"""rsc-snn certify."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import AsJson, Compile, DataRoot, Device, Limit, Seed


def command(
    run: Annotated[Path, typer.Argument(help="Run folder, or a name of the zoo, with noise in its coding.")],
    limit: Limit = None,
    samples: Annotated[
        int, typer.Option("--samples", metavar="N", help="Draws that certify an image, at most.")
    ] = 100_000,
    select: Annotated[
        int, typer.Option("--select", metavar="N", help="Other draws that choose its class.")
    ] = 100,
    alpha: Annotated[
        float, typer.Option("--alpha", metavar="A", help="Probability that a certificate is wrong, at most.")
    ] = 0.001,
    radius: Annotated[
        float | None,
        typer.Option("--radius", metavar="R", help="Decide about this radius only, with far fewer draws."),
    ] = None,
    attack: Annotated[
        bool,
        typer.Option("--attack/--no-attack", help="Also attack the same images in l_2, as the other side."),
    ] = True,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows", metavar="N", help="Images and draws of a forward pass; that of earlier rows, else 256."
        ),
    ] = None,
    compiled: Compile = "auto",
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Prove within which radius nothing can change a run's majority vote; rows go to certificates.jsonl."""
    from rsc_snn.certification.certificate import Demand

    demand = Demand(num_select=select, num_estimate=samples, alpha=alpha, seed=seed or 0, target=radius)

    from rsc_snn.cli.certifying import certify_and_show
    from rsc_snn.memory import keep_freed_memory
    from rsc_snn.runs.zoo_copies import opened

    keep_freed_memory()
    with opened(run) as (place,):
        certify_and_show(
            place,
            demand,
            is_json=as_json,
            is_attacked=attack,
            rows_per_pass=rows,
            compiled=compiled,
            limit=limit,
            device=device,
            data_root=data_root,
        )
