"""rsc-snn list."""

from typing import Annotated

import typer

KINDS = ("codings", "neurons", "networks", "attacks", "gradients", "datasets", "recipes")


def command(
    kind: Annotated[
        str | None, typer.Argument(metavar=f"[{'|'.join(KINDS)}]", help="What to list (default: all).")
    ] = None,
) -> None:
    """List what can be used by name."""
    from rsc_snn.cli.inventory import inventory
    from rsc_snn.errors import UnknownNameError

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("list", kind, KINDS)
    for name in KINDS if kind is None else (kind,):
        if kind is None:
            typer.echo(f"{name}:")
        for item, line in inventory(name):
            typer.echo(f"  {item:24} {line}" if line else f"  {item}")
