"""A list of entries of one norm and eps on one batch: who is worst for each image, as rows."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.attacks import L2, QUICK, RELIABLE, AbstractNorm, Entry, Linf, Transfer
from rsc_snn.evaluation import flags
from rsc_snn.evaluation.batch import ENOUGH_DRAWS, Batch, Judge, Outcome
from rsc_snn.evaluation.judge import Votes
from rsc_snn.evaluation.plan import Plan
from rsc_snn.evaluation.standing import Standing
from rsc_snn.evaluation.summary import WORST
from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import row_key

_NO_VOTES = {
    "adversarial_counts": None,
    "heldout_counts": None,
    "heldout_margin": None,
    "linf": None,
    "l2": None,
}


@dataclass(frozen=True)
class Judged:
    """The rows of a list on a batch, and the images that won.

    Attributes:
        rows: A row per entry and image, then one per image with attack "worst".
        winners: The worst candidate of each of those images, [num_real, C, H, W].
    """

    rows: list[Row]
    winners: Tensor

    def without(self, done: AbstractSet[tuple[object, ...]]) -> "Judged":
        """Return what is left when rows that are known, and their images, are taken out."""
        is_new = [row_key(row) not in done for row in self.rows if row["entry"] == WORST]
        return Judged(
            [row for row in self.rows if row_key(row) not in done], self.winners[torch.tensor(is_new)]
        )


def judge_list(
    judge: Judge, clean: tuple[Standing, Votes], suite: str, entries: list[tuple[str, Entry]]
) -> Judged:
    """Run the entries of one norm and eps; the worst candidate of each image is scored once."""
    standing, clean_score = clean
    is_lost = judge.is_lost(standing)
    outcomes: list[Outcome] = []
    for name, entry in entries:
        outcome = judge.outcome(name, entry, (~is_lost).nonzero()[:, 0])
        outcomes.append(outcome)
        if outcome.tried is not None:
            standing = standing.challenged(outcome.rows, outcome.tried.best)
            is_lost = judge.is_lost(standing)
    score = judge.score(standing.images)
    attack = entries[0][1].attack
    describe = _Describe(judge.plan, judge.batch, suite, clean_score, attack.norm, attack.eps)
    doubts = _doubts(judge.plan, suite, outcomes)
    rows = [row for outcome in outcomes for row in describe.entry_rows(outcome)]
    rows += describe.worst_rows(standing, score, outcomes, doubts)
    return Judged(rows, standing.images[: judge.batch.num_real])


def keys_of_list(
    plan: Plan, suite: str, entries: list[tuple[str, Entry]], indices: list[int]
) -> set[tuple[object, ...]]:
    """The keys of all rows of a list before they are computed."""
    attack = entries[0][1].attack
    names = [*(name for name, _ in entries), WORST]
    front = (suite, plan.budget, plan.seed, attack.eps, attack.norm.name)
    return {(*front, name, index) for name in names for index in indices}


def _doubts(plan: Plan, suite: str, outcomes: list[Outcome]) -> list[str]:
    """Why the worst case of the suite "reliable" is not what its name says."""
    if suite != RELIABLE:
        return []
    reasons = {
        flags.QUICK_BUDGET: plan.budget == QUICK,
        flags.FEW_DRAWS: plan.is_random and plan.num_draws < ENOUGH_DRAWS,
        flags.OUT_OF_REACH: any(outcome.weakens for outcome in outcomes),
    }
    return [flag for flag, holds in reasons.items() if holds]


def _never_seen(outcomes: list[Outcome]) -> set[int]:
    """Positions of the images that were attacked by gradients of the victim, all of which were zero."""
    is_blind: dict[int, bool] = {}
    for outcome in outcomes:
        attack = outcome.entry.attack
        if outcome.tried is None or attack.cost.slopes == 0 or isinstance(attack, Transfer):
            continue
        for i, doubts in zip(outcome.rows.tolist(), outcome.tried.doubts, strict=True):
            is_blind[i] = is_blind.get(i, True) and flags.BLIND in doubts
    return {i for i, blind in is_blind.items() if blind}


class _Describe:
    """Rows of a batch; tensors are read once, since each read waits for the device."""

    def __init__(self, plan: Plan, batch: Batch, suite: str, clean: Votes, norm: AbstractNorm, eps: float):
        self.plan, self.batch = plan, batch
        self.labels = batch.labels.tolist()
        self.common: Row = {
            "suite": suite,
            "budget": plan.budget,
            "seed": plan.seed,
            "eps": eps,
            "norm": norm.name,
        }
        self.clean_counts = clean.counts.tolist()

    def entry_rows(self, outcome: Outcome) -> list[Row]:
        """A row per image for an entry: of its answer where it is scored, else of its worst candidate."""
        rows = [self._absent(outcome, i) for i in range(self.batch.num_real)]
        if outcome.tried is None:
            return rows
        tried = outcome.tried
        about = tried.best if tried.score is None else tried.answer
        positions = outcome.rows.tolist()
        measured = self._measured(about, tried.score, self.batch.part(outcome.rows).images)
        for i, found, doubts in zip(positions, measured, tried.doubts, strict=True):
            if i < len(rows):
                rows[i] = {**rows[i], **found, "flags": doubts, "note": None}
        return rows

    def worst_rows(
        self, standing: Standing, score: Votes, outcomes: list[Outcome], doubts: list[str]
    ) -> list[Row]:
        """A row per image for the worst case; its score is on draws that did not choose it."""
        entries = {outcome.name: outcome for outcome in outcomes}
        own = {
            (outcome.name, i): flagged
            for outcome in outcomes
            if outcome.tried is not None
            for i, flagged in zip(outcome.rows.tolist(), outcome.tried.doubts, strict=True)
        }
        measured = self._measured(standing, score, self.batch.images)
        rows: list[Row] = []
        unseen, blind = _never_seen(outcomes), [flags.NO_GRADIENT] if self.common["suite"] == RELIABLE else []
        for i in range(self.batch.num_real):
            winner = standing.names[i][0]
            entry = entries[winner].entry if winner in entries else None
            flagged = [*own.get((winner, i), []), *doubts, *(blind if i in unseen else [])]
            row = {**self._row(WORST, entry, i), **measured[i], "flags": flagged, "note": None}
            rows.append({**row, "attack": WORST, "winner": winner})
        return rows

    def _absent(self, outcome: Outcome, i: int) -> Row:
        flag, reason = outcome.absence
        return {**self._row(outcome.name, outcome.entry, i), **_NO_VOTES, "flags": [flag], "note": reason}

    def _row(self, name: str, entry: Entry | None, i: int) -> Row:
        return {
            **self.common,
            "entry": name,
            "index": int(self.batch.indices[i]),
            "label": self.labels[i],
            "attack": repr(entry.attack) if entry else None,
            "gradient": repr(entry.gradient) if entry else None,
            "num_draws": self.plan.num_draws,
            "clean_counts": self.clean_counts[i],
            "candidate": None,
            "batch_size": self.plan.batch_size,
            "draw_chunk": self.plan.draw_chunk,
            "rows_per_pass": self.plan.rows_per_pass,
            "compiled": bool(self.plan.is_compiled),
        }

    def _measured(self, about: Standing, score: Votes | None, images: Tensor) -> list[Row]:
        change = about.images - images
        columns = {
            "candidate": [point for _, point in about.names],
            "adversarial_counts": score.counts.tolist() if score else [None] * len(images),
            "heldout_counts": about.heldout.counts.tolist(),
            "heldout_margin": about.heldout.margin.tolist(),
            "linf": Linf().size(change).tolist(),
            "l2": L2().size(change).tolist(),
        }
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
