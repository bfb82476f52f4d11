"""rsc-snn report."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A run folder, one that holds runs/NAME, or a name of the zoo."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="What to write (default: DIR/report.html).")
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="NAME", help="html (default), markdown, csv or latex; may be repeated."
        ),
    ] = None,
) -> None:
    """Write the tables and curves of a folder's rows as one page, or for a paper; runs no model."""
    from rsc_snn.report.page import PAGE, write_reports
    from rsc_snn.runs.zoo_copies import opened

    with opened(folder) as (place,):
        for path in write_reports(place, out, formats or (PAGE,)):
            typer.echo(f"wrote {path}")
