"""The rows behind each number of a reproduction, and why some are not there. Needs no torch."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.summary import why_unreliable
from rsc_snn.report.reproduction.measured import Measured, Quantity
from rsc_snn.runs.files import Row, read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import (
    DONE,
    FAILED,
    RUNS,
    STATES,
    Reproduction,
    Rows,
    last_states,
    read_reproduction,
)

_Values = tuple[Any, ...]  # of the fields that were asked for
_Group = tuple[str, str, tuple[str, ...]]  # run, file, names of those fields
NOT_RUN = "not run yet"
NOT_ASKED = "not asked for"
NO_ROWS = "no such rows"
INCOMPLETE = "incomplete"
_READERS: dict[str, Callable[[RunFolder], list[Row]]] = {
    "attacks.jsonl": RunFolder.attack_rows,
    "audit.jsonl": RunFolder.audit_rows,
    "certificates.jsonl": RunFolder.certificate_rows,
    "activity.jsonl": RunFolder.activity_rows,
    "theory.jsonl": RunFolder.theory_rows,
}


@dataclass(frozen=True)
class Sample:
    """The rows of one number.

    Attributes:
        seeds: Rows of each seed that has some, images in order.
        num_asked: Seeds that were asked for.
        gaps: Why rows are missing: "failed: reason", "not run yet", "incomplete"; each once.
        runs: Run folder of each of ``seeds``: which network it is. Numbers are paired by it, never by place.

    What is measured once is kept, since tables and plots show the same numbers.
    """

    seeds: tuple[tuple[Row, ...], ...] = ()
    num_asked: int = 0
    gaps: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    _measured: dict[Quantity, Measured | None] = field(default_factory=dict, repr=False, compare=False)

    def measure(self, quantity: Quantity) -> Measured | None:
        """Return a quantity over the seeds; None without rows, or where they were not scored."""
        if quantity not in self._measured:
            self._measured[quantity] = quantity.measure(self.seeds)
        return self._measured[quantity]

    @property
    def by_run(self) -> dict[str, tuple[Row, ...]]:
        """Run folder -> rows."""
        return dict(zip(self.runs, self.seeds, strict=True))

    def kept(self, runs: Collection[str], indices: Collection[int]) -> "Sample":
        """Return the rows of some networks and images."""
        found = {
            run: tuple(row for row in rows if row["index"] in indices)
            for run, rows in self.by_run.items()
            if run in runs
        }
        found = {run: rows for run, rows in found.items() if rows}
        return Sample(tuple(found.values()), self.num_asked, self.gaps, tuple(found))

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Why rows of the reliable protocol do not deserve its name; none for other rows."""
        return tuple(dict.fromkeys(reason for rows in self.seeds for reason in why_unreliable(rows)))

    @property
    def gap(self) -> str:
        """Why there is nothing, in a cell."""
        return "; ".join(self.gaps) or NOT_ASKED

    @property
    def note(self) -> str:
        """What a reader must know of a number that rests on less than was asked for; else empty."""
        parts = [f"{len(self.seeds)} of {self.num_asked} seeds"] if len(self.seeds) < self.num_asked else []
        return ", ".join([*parts, *([INCOMPLETE] if INCOMPLETE in self.gaps else [])])


def shared_images(samples: Iterable[Sample]) -> tuple[set[str], set[int]]:
    """Return the networks that all samples have rows of, and the images that all of these rows are about."""
    found = [sample.by_run for sample in samples]
    runs = set.intersection(*(set(by_run) for by_run in found)) if found else set()
    images = [{row["index"] for row in by_run[run]} for by_run in found for run in runs]
    return runs, set.intersection(*images) if images else set()


@dataclass(frozen=True)
class Evidence:
    """A reproduction's folder; every file is read once.

    Attributes:
        folder: DIR.
        plan: What DIR/reproduction.json asks for.
        states: How each cell ended last, by its key.
    """

    folder: Path
    plan: Reproduction
    states: Mapping[str, Row]
    _files: dict[tuple[str, str], list[Row]] = field(default_factory=dict, repr=False, compare=False)
    _groups: dict[_Group, dict[_Values, list[Row]]] = field(default_factory=dict, repr=False, compare=False)
    _samples: dict[tuple[object, ...], Sample] = field(default_factory=dict, repr=False, compare=False)

    def sample(self, places: Sequence[Rows]) -> Sample:
        """Return the rows at ``places``, one entry per seed.

        Raises:
            RunFolderError: a file is damaged or of another version, or an image stands in a seed twice.
        """
        key = tuple((p.cell, p.run, p.file, tuple(p.where.items()), p.limit) for p in places)
        if key not in self._samples:
            self._samples[key] = self._sample(places)
        return self._samples[key]

    def _sample(self, places: Sequence[Rows]) -> Sample:
        found = [(place, self._select(place)) for place in places]
        gaps = dict.fromkeys(self._gap(place, rows) for place, rows in found)
        kept = [(place.run, tuple(rows)) for place, rows in found if rows and not self._reason(place)]
        runs, seeds = tuple(run for run, _ in kept), tuple(rows for _, rows in kept)
        return Sample(seeds, len(places), tuple(gap for gap in gaps if gap), runs)

    def run(self, name: str) -> RunFolder:
        """Folder of a run, whether it is there or not."""
        return RunFolder(self.folder / RUNS / name)

    def environments(self, run: str) -> list[dict[str, Any]]:
        """Return what a run was made with, an entry per start."""
        return read_environments(self.run(run).environment)

    def _reason(self, place: Rows) -> str:
        state = self.states.get(place.cell, {})
        return f"failed: {state.get('reason') or 'no reason given'}" if state.get("state") == FAILED else ""

    def _gap(self, place: Rows, rows: Sequence[Row]) -> str:
        reason = self._reason(place)
        if reason:
            return reason
        is_done = self.states.get(place.cell, {}).get("state") == DONE
        if rows:
            return "" if is_done else INCOMPLETE
        return NO_ROWS if is_done else NOT_RUN

    def _select(self, place: Rows) -> list[Row]:
        names = tuple(sorted(place.where))
        group = (place.run, place.file, names)
        if group not in self._groups:
            self._groups[group] = _by_values(self._read(place), names)
        alike = self._groups[group].get(tuple(place.where[name] for name in names), [])
        rows = [row for row in alike if place.limit is None or row.get("index", -1) < place.limit]
        indices = [row["index"] for row in rows if "index" in row]
        if len(set(indices)) < len(indices):
            raise RunFolderError(
                f"{str(self.run(place.run).path / place.file)!r} has several rows per image where "
                f"{dict(place.where)}; the reproduction's file must say which is meant: call reproduce again"
            )
        return sorted(rows, key=lambda row: row.get("index", 0))

    def _read(self, place: Rows) -> list[Row]:
        key = (place.run, place.file)
        if key not in self._files:
            if place.file not in _READERS:
                raise RunFolderError(
                    f"the reproduction in {str(self.folder)!r} asks for rows of {place.file!r}, expected one "
                    f"of {', '.join(_READERS)}; use the version that wrote it"
                )
            self._files[key] = _READERS[place.file](self.run(place.run))
        return self._files[key]


def _by_values(rows: Sequence[Row], names: Sequence[str]) -> dict[_Values, list[Row]]:
    found: dict[_Values, list[Row]] = {}
    for row in rows:
        if all(name in row for name in names):
            found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def read_evidence(folder: Path) -> Evidence | None:
    """Return the reproduction in a folder; None if it holds none.

    Raises:
        RunFolderError: reproduction.json or cells.jsonl is damaged or of another version.
    """
    plan = read_reproduction(folder)
    if plan is None:
        return None
    try:
        return Evidence(folder, plan, last_states(folder))
    except KeyError as err:
        raise RunFolderError(
            f"a line of {str(folder / STATES)!r} lacks {err}; it is not a line of this version: remove it or "
            "restore the file"
        ) from err
