"""Printing tables, and the console that everything is printed to."""

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from rsc_snn.report.tables import Table

_NATURAL_WIDTH = 200


def make_console() -> Console:
    """Standard output, as wide as the terminal; a file or pipe gets lines that are not broken."""
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, emoji=False, width=_NATURAL_WIDTH)


def program() -> str:
    """The command as it can be typed again: ``rsc-snn``, or its path where it is not on the PATH."""
    typed = Path(sys.argv[0])
    is_on_path = shutil.which("rsc-snn") is not None
    return "rsc-snn" if is_on_path or typed.name != "rsc-snn" else str(typed)


def launcher() -> list[str]:
    """The words before the verb: the command, or torchrun and the module if it started this process."""
    num_all = int(os.environ.get("WORLD_SIZE", "1"))
    num_local = int(os.environ.get("LOCAL_WORLD_SIZE", num_all))
    if num_all == 1:
        return [program()]
    nodes = [] if num_all == num_local else ["--nnodes", str(num_all // num_local)]  # and where they meet
    return ["torchrun", *nodes, "--nproc-per-node", str(num_local), "-m", "rsc_snn"]


def print_table(console: Console, table: Table) -> None:
    """Print a table with its notes."""
    shown = RichTable(title=Text(table.title), title_justify="left", title_style="bold", show_edge=False)
    for position, column in enumerate(table.columns):
        shown.add_column(column, justify="left" if position == 0 else "right", no_wrap=True)
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    # Numbers are never cut: a terminal that is too narrow breaks the lines instead.
    wide = Console(
        file=console.file,
        width=max(console.width, _NATURAL_WIDTH),
        force_terminal=console.is_terminal,
        highlight=False,
        markup=False,
        emoji=False,
    )
    wide.print(shown, crop=False)
    for note in table.notes:
        console.print(note, style="dim", soft_wrap=True)
