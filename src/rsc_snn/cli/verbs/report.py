"""rsc-snn report."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder, or one that holds runs/NAME.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Page to write (default: DIR/report.html).")
    ] = None,
) -> None:
    """Write the tables and curves of a folder's rows as one HTML page; runs no model."""
    from rsc_snn.report.page import write_report

    typer.echo(f"wrote {write_report(folder, out)}")
