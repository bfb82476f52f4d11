"""Printing tables, and the console that everything is printed to."""

from rich.console import Console
from rich.table import Table as RichTable

from rsc_snn.report.tables import Table


def make_console() -> Console:
    """Standard output, as wide as the terminal; a file or pipe gets lines that are not broken."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def print_table(console: Console, table: Table) -> None:
    """Print a table with its notes."""
    shown = RichTable(title=table.title, title_justify="left", title_style="bold", show_edge=False)
    for position, column in enumerate(table.columns):
        shown.add_column(column, justify="left" if position == 0 else "right", no_wrap=True)
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    for note in table.notes:
        console.print(note, style="dim", soft_wrap=True)
