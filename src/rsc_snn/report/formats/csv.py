"""A folder of CSV files, one for each table, for people who compute with the numbers."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from rsc_snn.report.cells import read_cell
from rsc_snn.report.chapters import Report
from rsc_snn.report.formats.base import AbstractFormat
from rsc_snn.report.formats.names import Names
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.report.wording import plain
from rsc_snn.runs.files import replace_text

INDEX = "index.csv"
_HEADS = ("file", "chapter", "section", "table", "notes")


class CSV(AbstractFormat):
    """A file for each table, and an index with their titles and notes."""

    name = "csv"
    ending = "-tables"

    def write(self, report: Report, path: Path) -> None:
        """Write the tables; those of an earlier call that this report does not have are removed."""
        path.mkdir(exist_ok=True)
        names = Names()
        names.of("index")
        index = []
        for chapter, section in report.sections():
            for table in section.tables:
                file = f"{names.of(table.title)}.csv"
                replace_text(path / file, csv_table(table))
                notes = " ".join(map(plain, table.notes))
                index.append([file, chapter.title, section.title, table.title, notes])
        _remove_others(path, {line[0] for line in index})
        replace_text(path / INDEX, _text([_HEADS, *index]))


def csv_table(table: Table) -> str:
    """Return a table as CSV with lines that end in a line feed.

    A number with its interval becomes three columns: "PGD %", "PGD % low", "PGD % high". What is missing is
    an empty cell.
    """
    columns = [[read_cell(row[i]) for row in table.rows] for i in range(len(table.columns))]
    lines: list[list[str]] = [[] for _ in range(len(table.rows) + 1)]
    for title, cells in zip(table.columns, columns, strict=True):
        texts = [plain(cell.verdict + cell.text) for cell in cells]
        _append(lines, [title, *("" if text == MISSING else text for text in texts)])
        if any(cell.interval for cell in cells):
            ends = [cell.interval.strip("[]").split(", ") if cell.interval else ["", ""] for cell in cells]
            _append(lines, [f"{title} low", *(low for low, _ in ends)])
            _append(lines, [f"{title} high", *(high for _, high in ends)])
    return _text(lines)


def _append(lines: list[list[str]], column: Sequence[str]) -> None:
    for line, cell in zip(lines, column, strict=True):
        line.append(cell)


def _text(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _remove_others(folder: Path, kept: set[str]) -> None:
    """Remove the files that the last index named and this one does not."""
    index = folder / INDEX
    if not index.is_file():
        return
    with index.open(newline="", encoding="utf-8") as file:
        written = {line.get("file") or "" for line in csv.DictReader(file)}
    for name in written - kept:
        if name.endswith(".csv") and Path(name).name == name:
            (folder / name).unlink(missing_ok=True)
