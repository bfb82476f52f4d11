"""How the numbers of a folder came about: training, commands, machines. Needs no torch."""

import shlex
from typing import Any

from rsc_snn.report.reported import ReportedFolder
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import MISSING, Table

_OF_ONE_CALL = ("started", "command", "data", "seed", "subject")


def origin_sections(folder: ReportedFolder) -> list[Section]:
    """Return what there is of: the last epoch of each training, every command, every environment."""
    tables = (_training(folder), _commands(folder), _environments(folder))
    return [Section(table.title, tables=[table]) for table in tables if table.rows]


def _training(folder: ReportedFolder) -> Table:
    lines = [
        [
            name,
            str(last["epoch"]),
            f"{last['loss']:.3f}",
            f"{100 * last['train_accuracy']:.1f}",
            MISSING if last["validation_accuracy"] is None else f"{100 * last['validation_accuracy']:.1f}",
            f"{sum(row['seconds'] for row in run.training) / 60:.1f}",
        ]
        for name, run in folder.runs.items()
        for last in run.training[-1:]
    ]
    columns = ("network", "epochs", "loss", "train %", "validation %", "minutes")
    return Table("Training, last epoch", columns, lines)


def _commands(folder: ReportedFolder) -> Table:
    lines = dict.fromkeys(
        (name, str(entry["started"]), f"`{shlex.join(entry['command'])}`")
        for name, run in folder.runs.items()
        for entry in run.environments
    )
    return Table("Commands", ("network", "started", "command"), [list(line) for line in lines])


def _environments(folder: ReportedFolder) -> Table:
    """A line per property, a column per environment; what differs in every call is left out."""
    seen: list[dict[str, str]] = []
    for run in folder.runs.values():
        for entry in run.environments:
            kept = {key: value for key, value in entry.items() if key not in _OF_ONE_CALL}
            flat = dict(_flat("", kept))
            if flat not in seen:
                seen.append(flat)
    names = dict.fromkeys(name for flat in seen for name in flat)
    lines = [[name, *(flat.get(name, MISSING) for flat in seen)] for name in names]
    return Table("Environments", ("property", *map(str, range(1, len(seen) + 1))), lines)


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return [(name, str(value))]
    return [
        pair for key, inner in value.items() for pair in _flat(f"{name}.{key}" if name else str(key), inner)
    ]
