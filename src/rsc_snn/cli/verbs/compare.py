"""rsc-snn compare."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="What 'rsc-snn attack' worked on.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="Another, of the same test set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparisons as JSON.")] = False,
) -> None:
    """Compare two runs image by image: differences with their intervals, and exact tests."""
    from rsc_snn.cli.comparing import compare_and_show

    compare_and_show(first, second, is_json=as_json)
