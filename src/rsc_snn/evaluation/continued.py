"""Going on beside rows that are there: the unit of work is theirs, and what they hold must fit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rsc_snn.attacks import Entry
from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.plan import Plan
from rsc_snn.gradients.parts import ROWS_BY_HAND
from rsc_snn.networks.compiling import choice_of
from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import row_key


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What was asked for of the size of batches and passes; None leaves it to earlier rows, or to us.

    Attributes:
        batch_size: Images of a unit of work.
        rows_per_pass: (image, draw) pairs of a gradient's pass, at most.
        is_compiled: Whether neurons are computed by compiled kernels.
    """

    batch_size: int | None
    rows_per_pass: int | None
    is_compiled: bool | None

    def settled(self, plan: Plan, rows: list[Row], path: Path, measure: Callable[[Plan], int]) -> Plan:
        """Take over the unit of work of rows of the same lists; without such rows, settle the rows of a pass.

        Args:
            plan: In batches of the size that was asked for.
            rows: Earlier rows of the folder.
            path: Their file.
            measure: Return how many rows a pass may hold, for want of anything else.

        Raises:
            RunFolderError: those rows were made in another way.
        """
        earlier = _earlier(plan, rows)
        if earlier is None:
            sized = plan.sized(self.rows_per_pass or measure(plan))
            return replace(sized, is_compiled=self.is_compiled)
        batch_size: int = self.batch_size or earlier["batch_size"]
        for option, given in (("num_draws", plan.num_draws), ("batch_size", batch_size)):
            if earlier[option] != given:
                raise RunFolderError(
                    f"{str(path)!r} holds rows of suite {earlier['suite']!r}, seed {plan.seed}, "
                    f"with {option} {earlier[option]}, not {given}; use the same value or another --seed"
                )
        before = "rows_per_pass" not in earlier  # a pass then held 64 rows, or the batch if larger
        rows_per_pass = max(ROWS_BY_HAND, batch_size) if before else int(earlier["rows_per_pass"])
        if self.rows_per_pass not in (None, rows_per_pass):
            raise RunFolderError(
                f"earlier rows were made with --rows {rows_per_pass}, got {self.rows_per_pass}; leave the "
                "option out, or take another --seed"
            )
        is_compiled = bool(earlier.get("compiled", False))
        if self.is_compiled not in (None, is_compiled):
            raise RunFolderError(
                f"earlier rows were made with --compile {choice_of(is_compiled)}, got "
                f"{choice_of(self.is_compiled)}; leave the option out, or take another --seed"
            )
        kept = replace(plan, batch_size=batch_size, is_compiled=is_compiled)
        return kept.sized(rows_per_pass, draw_chunk=earlier["draw_chunk"])


def require_same_subject(rows: list[Row], path: Path, subject: str) -> None:
    """Raise RunFolderError if a row is about other weights or other images than ``subject``."""
    if any(row.get("subject") != subject for row in rows):
        raise RunFolderError(
            f"{str(path)!r} holds rows of other weights or other images; move that file away"
        )


def with_same_entries(plan: Plan, rows: list[Row], path: Path) -> Plan:
    """Return the plan; refuse rows of an entry of the same name by another attack, path or source."""
    ours: dict[tuple[object, ...], Entry] = {
        (suite, plan.budget, plan.seed, entry.attack.eps, entry.attack.norm.name, name): entry
        for suite, entries in plan.lists()
        for name, entry in entries
    }
    for row in rows:
        entry = ours.get(row_key(row)[:-1])
        if entry is None or (row["attack"], row["gradient"]) == (repr(entry.attack), repr(entry.gradient)):
            continue
        theirs, expected = f"{row['attack']} by {row['gradient']}", f"{entry.attack!r} by {entry.gradient!r}"
        raise RunFolderError(
            f"{str(path)!r} holds rows of {row['entry']!r} as {theirs}, not {expected}; use "
            "the same settings and sources, or another --seed"
        )
    return plan


def _earlier(plan: Plan, rows: list[Row]) -> Row | None:
    """A row of the same lists, budget and seed."""
    names = {name for name, _ in plan.lists()}
    same = (
        row
        for row in rows
        if row["suite"] in names and row["budget"] == plan.budget and row["seed"] == plan.seed
    )
    return next(same, None)
