"""What a reproduction asks for: DIR/reproduction.json, from which the report finds its rows. Needs no torch.

DIR/runs/NAME are the run folders; DIR/cells.jsonl tells how each cell ended.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.files import Row, read_rows, replace_text

PLAN = "reproduction.json"
STATES = "cells.jsonl"
RUNS = "runs"
SCHEMA = 1
DONE, FAILED = "done", "failed"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Where the rows of a number stand.

    Args:
        cell: Key of the cell that computes them.
        run: Folder in DIR/runs.
        file: "attacks.jsonl", "audit.jsonl", "certificates.jsonl" or "theory.jsonl" of that folder.
        where: The values that fields of a row must have, such as suite, seed, entry, eps.
        limit: Only rows of images with an index below it count; None is no limit.
    """

    cell: str
    run: str
    file: str
    where: Mapping[str, Any]
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of one of the paper's tables, or a point of a figure.

    Args:
        place: "table1" ... "figure3", or what else a report shows: "steps", "draws".
        dataset: As in ``paper.number.Number``.
        network: As in ``paper.number.Number``.
        method: As in ``paper.number.Number``.
        conditions: What else distinguishes this line: {"draws": 20}, {"variance": 0.5, "eps": 4 / 255}.
        numbers: Rows by what they measure, one entry per seed: "FGSM", "PGD", "EOT-PGD", "reliable",
            "audit". Clean accuracy and QTE follow from the same rows.
        stand_in: What was measured in place of the paper's data and network, in words; None where it is
            theirs.
        reductions: How the run differs from the full recipe, in words: "3 of 100 epochs", "T=4 for 8".
    """

    place: str
    dataset: str
    network: str
    method: str
    conditions: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, tuple[Rows, ...]]
    stand_in: str | None = None
    reductions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Task:
    """A cell as the report shows it.

    Args:
        key: Digest of its specification.
        run: Folder in DIR/runs.
        what: One line: recipe, seed and what is measured.
        command: The command that does the same by hand; empty where there is none.
    """

    key: str
    run: str
    what: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Everything that ``rsc-snn reproduce`` was asked for.

    Args:
        places: The tables and figures, in order.
        budget: "smoke", "small", "short" or "paper".
        seeds: Number of seeds.
        lines: What the report shows.
        tasks: The cells, in the order in which they run.
        dataset: The only data set that was asked for, or None.
        limit: Test images per cell that were asked for, or None.
    """

    places: tuple[str, ...]
    budget: str
    seeds: int
    lines: tuple[Line, ...]
    tasks: tuple[Task, ...]
    dataset: str | None = None
    limit: int | None = None

    def write(self, folder: Path) -> None:
        """Write DIR/reproduction.json, unless it says the same already."""
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n"
        path = folder / PLAN
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            replace_text(path, text)


def read_reproduction(folder: Path) -> Reproduction | None:
    """Return what DIR/reproduction.json asks for; None if there is none.

    Raises:
        RunFolderError: the file is damaged, or of another schema version.
    """
    path = folder / PLAN
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        schema = data.pop("schema")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, AttributeError, TypeError) as err:
        raise RunFolderError(f"{str(path)!r} cannot be read; remove it and call reproduce again") from err
    if schema != SCHEMA:
        raise RunFolderError(
            f"{str(path)!r} is of schema {schema!r}, this version reads {SCHEMA}; use the version that wrote "
            "it, or reproduce into a new folder"
        )
    try:
        lines = tuple(_line(line) for line in data.pop("lines"))
        tasks = tuple(Task(**task) for task in data.pop("tasks"))
        places = tuple(data.pop("places"))
        return Reproduction(places=places, lines=lines, tasks=tasks, **data)
    except (KeyError, TypeError, AttributeError) as err:
        raise RunFolderError(f"{str(path)!r} lacks or has too many fields ({err})") from err


def last_states(folder: Path) -> dict[str, Row]:
    """Return how each cell ended last, with the seconds that all calls took for it."""
    found: dict[str, Row] = {}
    for row in read_rows(folder / STATES):
        before = found.get(row["cell"], {}).get("seconds", 0.0)
        found[row["cell"]] = {**row, "seconds": before + row.get("seconds", 0.0)}
    return found


def _line(data: dict[str, Any]) -> Line:
    numbers = {name: tuple(Rows(**rows) for rows in found) for name, found in data.pop("numbers").items()}
    return Line(numbers=numbers, **{**data, "reductions": tuple(data["reductions"])})
