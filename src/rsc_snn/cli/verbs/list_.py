"""rsc-snn list."""

from typing import Annotated

import typer

KINDS = (
    *("codings", "neurons", "networks", "attacks", "gradients", "datasets", "recipes", "zoo"),
    *("tables", "claims"),
)


def command(
    kind: Annotated[
        str | None, typer.Argument(metavar=f"[{'|'.join(KINDS)}]", help="What to list (default: all).")
    ] = None,
) -> None:
    """List what can be used by name, and what the paper shows and claims."""
    from rsc_snn.errors import UnknownNameError

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("list", kind, KINDS)
    for name in KINDS if kind is None else (kind,):
        if kind is None:
            typer.echo(f"{name}:")
        for item, text in _lines(name):
            first, *more = text.splitlines() or [""]
            typer.echo(f"  {item:30} {first}".rstrip())
            for line in more:
                typer.echo(f"      {line}")


def _lines(kind: str) -> list[tuple[str, str]]:
    from rsc_snn.cli import paper, zoo

    lists = {**paper.LISTS, **zoo.LISTS}
    if kind in lists:
        return lists[kind]()
    from rsc_snn.cli.inventory import inventory  # which imports torch

    return inventory(kind)
