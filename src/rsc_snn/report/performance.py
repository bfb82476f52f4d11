"""The page of a benchmark: a pure function of rows and environments. Needs no torch."""

import itertools
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rsc_snn.report.goals import goals_table
from rsc_snn.report.performance_words import ABOUT, HEAD
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.report.timings import (
    duration,
    groups_of,
    mebibytes,
    ratio_of_seconds,
    side_name,
    span,
    workload_name,
)
from rsc_snn.runs.files import Row

__all__ = ["goals_table", "performance_page"]

Cell = Callable[[Row, Sequence[Row], Sequence[Row]], str]  # of a row, its group, and all rows of the case
Columns = dict[str, Cell]


def performance_page(rows: Sequence[Row], environments: Iterable[dict[str, Any]]) -> str:
    """Return the page as Markdown.

    Args:
        rows: Of benchmark.jsonl.
        environments: Of environment.json: an entry names the cases that it is about.
    """
    parts = [HEAD]
    if any(row["quick"] for row in rows):
        parts.append("**Tried out with tiny sizes (`--quick`): these numbers say nothing about speed.**\n")
    parts.append(_machines(environments))
    goals = goals_table(rows)
    if goals is not None:
        parts.append(f"## Goals\n\n{_markdown(goals)}")
    for case, found in itertools.groupby(rows, key=lambda row: str(row["case"])):
        parts.append(_section(case, list(found)))
    return "\n".join(parts)


def _machines(environments: Iterable[dict[str, Any]]) -> str:
    lines = ["## Where\n"]
    for entry in environments:
        device = entry["device"]
        threads = f", {device['threads']} threads" if "threads" in device else ""
        versions = {**entry["packages"], **entry["peers"]}
        shown = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        missing = [name for name, version in entry["peers"].items() if version is None]
        cases, date = ", ".join(entry["cases"]), entry["started"][:10]
        lines += [
            f"- {cases}: {device['name']}{threads}; {entry['platform']}; {date}",
            f"  - Python {entry['python']}, {shown}",
            *([f"  - not installed, without rows: {', '.join(missing)}"] if missing else []),
            f"  - `{shlex.join(entry['command'])}`",
        ]
    return "\n".join(lines) + "\n"


def _section(case: str, rows: Sequence[Row]) -> str:
    groups = groups_of(rows)
    busiest = max(row["load_average"][0] for row in rows)
    rounds = sorted({len(row["seconds"]) for row in rows})
    shown = " or ".join(map(str, rounds))
    note = f"{shown} rounds; load average of the machine at most {busiest:.1f}."
    return f"## {case}\n\n{ABOUT.get(case, '')}\n\n{_markdown(_table(case, groups))}\n{note}\n"


def _table(case: str, groups: Sequence[Sequence[Row]]) -> Table:
    extra: Columns = _EXTRA.get(case, {})
    everything = [row for group in groups for row in group]
    lines = [
        [
            workload_name(row["settings"]),
            side_name(row),
            duration(row["median_seconds"]),
            span(row["seconds"]),
            *(cell(row, group, everything) for cell in extra.values()),
        ]
        for group in groups
        for row in group
    ]
    return Table(case, ("what", "side", "median", "rounds", *extra), lines)


def _times(other: str) -> Cell:
    """Make a column: the time of a row in times that of another side."""

    def cell(row: Row, group: Sequence[Row], rows: Sequence[Row]) -> str:
        found = [candidate for candidate in group if candidate["side"] == other]
        return str(ratio_of_seconds(row, found[0])) if found and found[0] is not row else MISSING

    return cell


def _growth(row: Row, group: Sequence[Row], rows: Sequence[Row]) -> str:
    """Median in times that of the first point of the axis, of the same side."""
    key = (row["settings"]["axis"], row["side"])
    first = next(other for other in rows if (other["settings"]["axis"], other["side"]) == key)
    return f"{row['median_seconds'] / first['median_seconds']:.2f}"


def _rate(row: Row, group: Sequence[Row], rows: Sequence[Row]) -> str:
    rate, unit = row["amount"] / row["median_seconds"], row["unit"]
    return f"{rate:.0f} {unit}/s" if rate < 1e6 else f"{rate / 1e9:.1f} G{unit}/s"


def _estimate(row: Row, group: Sequence[Row], rows: Sequence[Row]) -> str:
    if not row.get("estimated_bytes") or not row["peak_bytes"]:
        return MISSING
    return f"{row['estimated_bytes'] / (row['peak_bytes'] + row['state_bytes']):.2f}"


def _peak(row: Row, group: Sequence[Row], rows: Sequence[Row]) -> str:
    return mebibytes(row["peak_bytes"])


_EXTRA: dict[str, Columns] = {
    "neuron": {"times ReLU": _times("ReLU")},
    "training": {
        "times ANN": _times("ANN"),
        "share of ceiling": lambda row, group, rows: f"{100 * row['share_of_ceiling']:.0f} %",
        "peak": _peak,
        "estimate": _estimate,
    },
    "attacks": {"times torchattacks (plain)": _times("torchattacks"), "peak": _peak},
    "certification": {"votes": _rate, "times plain passes": _times("plain passes")},
    "loader": {"waiting": lambda row, group, rows: f"{100 * row['share_waiting']:.1f} %"},
    "growth": {"times the first": _growth, "times ANN": _times("ANN")},
    "coldstart": {"second update": lambda row, group, rows: duration(min(row["second_update"]))},
    "ceilings": {"reached": _rate},
}


def _markdown(table: Table) -> str:
    return "\n".join(_lines(table)) + "\n"


def _lines(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.columns)} |"
    yield "|" + "---|" * len(table.columns)
    for cells in table.rows:
        yield f"| {' | '.join(cells)} |"
