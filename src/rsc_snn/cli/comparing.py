"""Comparing two run folders and printing what was found. Needs no torch."""

import json
from pathlib import Path
from typing import Any

import typer

from rsc_snn.cli.printing import make_console, print_table
from rsc_snn.errors import InputError
from rsc_snn.evaluation.comparison import Comparison, compare_rows
from rsc_snn.report.comparison import comparison_table
from rsc_snn.runs.files import Row
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.specification import require_schema
from rsc_snn.runs.zoo_copies import readable

_KEY = ("suite", "budget", "norm", "eps", "entry")


def compare_and_show(first: Path, second: Path, *, is_json: bool) -> None:
    """Compare two run folders and print a table, or JSON.

    Raises:
        InputError: a folder is not a run of this version, has no rows, or their test sets differ.
    """
    places = [RunFolder(readable(path)) for path in (first, second)]
    specs = [require_schema(place.read_spec(), place) for place in places]
    if places[0].path.resolve() == places[1].path.resolve():
        raise InputError(f"{str(first)!r} and {str(second)!r} are the same run; give two runs")
    data = [spec.get("data") for spec in specs]
    if None not in data and data[0] != data[1]:
        raise InputError(
            f"{str(first)!r} is of data set {data[0]}, {str(second)!r} of {data[1]}; give two runs of the "
            "same test set"
        )
    compared = compare_rows(*(_rows(*pair) for pair in zip((first, second), places, strict=True)))
    if not is_json:
        print_table(make_console(), comparison_table(str(first), str(second), compared))
        return
    found = [_as_data(comparison) for comparison in compared.comparisons]
    runs = [str(first), str(second)]
    typer.echo(json.dumps({"runs": runs, "comparisons": found, "notes": compared.notes}, indent=1))


def _rows(path: Path, folder: RunFolder) -> list[Row]:
    rows = folder.attack_rows()
    if not rows:
        raise InputError(f"{str(path)!r} has no rows; make them with 'rsc-snn attack {path}'")
    return rows


def _as_data(comparison: Comparison) -> dict[str, Any]:
    row, found = comparison.pair.first[0], comparison.difference
    names = _KEY if not comparison.is_clean else ()
    return {
        "about": "clean" if comparison.is_clean else "attacked",
        **{name: row[name] for name in names},
        "measure": comparison.measure,
        "num_images": len(comparison.pair.first),
        "seeds": comparison.pair.seeds,
        "num_draws": comparison.pair.draws,
        "first": comparison.first,
        "second": comparison.second,
        "difference": (found.value, found.low, found.high),
        "student": found.student,
        "is_extended": found.is_extended,
        "only_first": comparison.only_first,
        "only_second": comparison.only_second,
        "mcnemar_p": comparison.chance,
    }
