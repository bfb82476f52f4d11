"""rsc-snn theory."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import DataRoot, Seed


def command(
    run: Annotated[
        list[Path] | None,
        typer.Option("--run", metavar="RUN", help="Also try the first layer of a trained run; repeatable."),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", metavar="N", help="Encodings behind each covariance.")
    ] = 100_000,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Test images of each data set, for the similarities.")
    ] = 500,
    data_root: DataRoot = None,
    seed: Seed = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for rows and pictures.")] = Path(
        "theory"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Try Theorems 3.2 and 3.3, Proposition 3.4 and Observation 3.5 of the paper on the codings.

    Rows go to DIR/theory.jsonl. The exit status is 1 if a claim fails.
    """
    from rsc_snn.cli.theorising import try_and_show
    from rsc_snn.memory import keep_freed_memory

    keep_freed_memory()
    status = try_and_show(
        out,
        is_json=as_json,
        runs=run or [],
        data_root=data_root,
        num_samples=samples,
        limit=limit,
        seed=seed or 0,
    )
    if status:
        raise typer.Exit(status)
