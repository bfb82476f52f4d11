"""The run: every case in a process of its own, and the files that it leaves."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.cases import all_cases, case_by_name
from rsc_snn.benchmarks.cases.attacks import PEER
from rsc_snn.benchmarks.peers import peers
from rsc_snn.benchmarks.peers.base import version_of
from rsc_snn.benchmarks.processes import alone
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.errors import InputError
from rsc_snn.runs.environment import describe_environment
from rsc_snn.runs.files import Row, read_environments, read_rows, replace_rows, replace_text

ROWS, ENVIRONMENT, PAGE = "benchmark.jsonl", "environment.json", "performance.md"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Results:
    """The files of a benchmark in a folder."""

    folder: Path

    @property
    def rows(self) -> list[Row]:
        """Every row of the folder."""
        return read_rows(self.folder / ROWS)

    @property
    def environments(self) -> list[dict[str, Any]]:
        """What the rows were measured with: an entry names its cases."""
        return read_environments(self.folder / ENVIRONMENT)

    def take(self, case: str, rows: Sequence[Row], environment: Row) -> None:
        """Replace what is there of a case."""
        kept = [row for row in self.rows if row["case"] != case]
        known = {name: entry for entry in self.environments for name in entry["cases"]}
        known[case] = environment
        order = [known_case.name for known_case in all_cases()]
        replace_rows(self.folder / ROWS, sorted([*kept, *rows], key=lambda row: order.index(row["case"])))
        entries: list[dict[str, Any]] = []
        for name in sorted(known, key=order.index):
            facts = {key: value for key, value in known[name].items() if key != "cases"}
            same = next((entry for entry in entries if _without_cases(entry) == facts), None)
            if same is None:
                entries.append({"cases": [name], **facts})
            else:
                same["cases"].append(name)
        replace_text(self.folder / ENVIRONMENT, json.dumps(entries, indent=1) + "\n")


def _without_cases(entry: Row) -> Row:
    return {key: value for key, value in entry.items() if key != "cases"}


def run_benchmarks(names: Sequence[str], folder: Path, settings: Settings, tell: Tell) -> Results:
    """Measure the cases; the files are there after each of them.

    Args:
        names: Of the cases; none for all.
        folder: Where rows go; those of other cases that are there already are kept.
        settings: For every case.
        tell: Called with a line about what happens.

    Raises:
        UnknownNameError: a case that there is not; nothing is measured then.
        InputError: ``folder`` is a file, or a side does not compute what ours does.
    """
    cases = _chosen(names)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out expects a folder, got the file {str(folder)!r}; give another name")
    folder.mkdir(parents=True, exist_ok=True)
    for name in missing_peers():
        tell(f"{name} is not installed: it has no rows")
    torch.set_num_threads(settings.threads)
    results = Results(folder)
    environment = describe_environment(settings.place, peers=peer_versions())
    for case in cases:
        tell(f"{case.name}: measuring")
        results.take(case.name, alone(case.name, settings), environment)
    return results


def peer_versions() -> dict[str, str | None]:
    """Return the version of each library that is compared with; None where it is not installed."""
    return {**{peer.name: peer.version for peer in peers()}, PEER: version_of(PEER)}


def missing_peers() -> list[str]:
    """Return the names of those that are not installed."""
    return [name for name, version in peer_versions().items() if version is None]


def _chosen(names: Sequence[str]) -> list[AbstractCase]:
    return [case_by_name(name) for name in dict.fromkeys(names)] if names else all_cases()
