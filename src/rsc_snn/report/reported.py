"""What a report reads of a folder: its runs and, where there is one, its reproduction. Needs no torch."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsc_snn.errors import InputError
from rsc_snn.report.curves import draw_accuracy
from rsc_snn.runs.files import Row, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Reproduction, last_states, read_reproduction


@dataclass(frozen=True)
class ReportedRun:
    """A run as the report shows it: nothing but what its files say."""

    name: str
    rows: list[Row]
    training: list[Row]
    environments: list[dict[str, Any]]
    audit: list[Row]
    certificates: list[Row]
    path: Path


@dataclass(frozen=True)
class ReportedFolder:
    """A folder as the report shows it.

    Attributes:
        path: The folder.
        runs: By a name that no other has: of a reproduction the folder's, else the recipe's.
        reproduction: What ``rsc-snn reproduce`` was asked for; None where it was not.
        states: How each cell of a reproduction ended last, by its key.
    """

    path: Path
    runs: Mapping[str, ReportedRun]
    reproduction: Reproduction | None = None
    states: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def curves(self) -> bytes | None:
        """Accuracy over attack strength as a PNG; None if there is nothing to draw."""
        return draw_accuracy({name: run.rows for name, run in self.runs.items()})


def find_runs(folder: Path) -> list[RunFolder]:
    """Return the run in ``folder`` and those in ``folder/runs``, by name.

    Raises:
        InputError: there is none.
    """
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r}; give a run folder, or one that holds runs/NAME")
    candidates = [folder, *sorted(folder.glob("runs/*")), *sorted(folder.glob("*"))]
    found = {run.path.resolve(): run for run in map(RunFolder, candidates) if run.exists()}
    if not found:
        raise InputError(f"no run in {str(folder)!r}; expected run.yaml there or in its runs/NAME")
    return list(found.values())


def read_run(folder: RunFolder) -> ReportedRun:
    """Read what the report needs; torch is not imported."""
    spec = folder.read_spec()
    recipe = spec.get("recipe")
    name = recipe.get("name") if isinstance(recipe, dict) else None
    return ReportedRun(
        str(name or folder.path.resolve().name),
        folder.attack_rows(),
        folder.epoch_rows(),
        read_environments(folder.environment),
        folder.audit_rows(),
        folder.certificate_rows(),
        folder.path,
    )


def read_folder(path: Path) -> ReportedFolder:
    """Read everything that a report of ``path`` shows.

    Raises:
        InputError: there is no run, no reproduction and no theory, or a file is damaged.
    """
    plan = read_reproduction(path) if path.is_dir() else None
    try:
        found = find_runs(path)
    except InputError:
        if plan is None and not RunFolder(path).theory.is_file():
            raise
        found = []
    runs: dict[str, ReportedRun] = {}
    for run in map(read_run, found):
        own = run.name if plan is None else run.path.name
        name, number = own, 2
        while name in runs:
            name, number = f"{own} ({number})", number + 1
        runs[name] = run
    states = {} if plan is None else {key: str(row["state"]) for key, row in last_states(path).items()}
    return ReportedFolder(path, runs, plan, states)
