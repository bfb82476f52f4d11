"""One unit of work: a batch of images and what the entries of a list make of it, judged.

Axes: B images of the batch, R images that are attacked.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.attacks import AbstractAttack, Entry, Transfer
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.evaluation import flags
from rsc_snn.evaluation.judge import Votes, collect_votes, verify
from rsc_snn.evaluation.plan import Plan
from rsc_snn.evaluation.standing import Standing, all_rows, named
from rsc_snn.rng import Streams

CLEAN = "clean"
ANSWER = "answer"
ENOUGH_DRAWS = 20
_UNCHANGED_SHARE = 1e-3


@dataclass(frozen=True)
class Batch:
    """Images that are attacked together; the last batch of a run is padded with its last image.

    Attributes:
        images: Pixels in [0, 1], [B, C, H, W].
        labels: Class of each image, [B].
        indices: Index of each image in its data set, [B].
        num_real: Images before the padding.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    num_real: int

    def part(self, rows: Tensor) -> "Batch":
        """Return some of the images."""
        there = rows.to(self.images.device)
        return Batch(self.images[there], self.labels[there], self.indices[rows], len(rows))


@dataclass(frozen=True)
class Tried:
    """What came of an entry on the images that it attacked.

    Attributes:
        best: The worst of its candidates for each of them, on held-out draws.
        answer: The attack's own answers.
        score: Votes of the answers on the scoring draws; None where entries are not scored.
        doubts: Flags of each of them.
    """

    best: Standing
    answer: Standing
    score: Votes | None
    doubts: list[list[str]]


@dataclass(frozen=True)
class Outcome:
    """What came of an entry on a batch.

    Attributes:
        name: Of the entry.
        entry: The entry.
        rows: Positions in the batch of the images that it attacked, [R].
        tried: What came of it there; None if there were none.
        absence: Flag and reason for the images that it did not attack.
        weakens: Whether the evaluation is not reliable without it.
    """

    name: str
    entry: Entry
    rows: Tensor
    tried: Tried | None
    absence: tuple[str, str]
    weakens: bool = False


@dataclass(frozen=True)
class Judge:
    """Ranks and scores candidates of one batch."""

    classifier: AbstractClassifier
    plan: Plan
    batch: Batch

    def clean(self) -> tuple[Standing, Votes]:
        """Return the standing of the images as they are, and their score."""
        batch = self.batch
        votes = self._votes(batch, batch.images, "heldout")
        return named(CLEAN, CLEAN, batch.images, votes), self.score(batch.images)

    def score(self, images: Tensor) -> Votes:
        """Score a candidate of every image, on draws that no attack and no choice has seen."""
        return self._votes(self.batch, images, "score")

    def is_lost(self, standing: Standing) -> Tensor:
        """Whether an image need not be attacked again, [B]: no held-out draw, of enough, is right."""
        is_proof = not self.plan.is_random or self.plan.num_draws >= ENOUGH_DRAWS
        return standing.is_lost() & self.plan.scores_winner_only & is_proof

    def outcome(self, name: str, entry: Entry, rows: Tensor) -> Outcome:
        """Run an entry on some images, and rank what it found."""
        is_idle = isinstance(entry.attack, Transfer) and not entry.attack.sources
        if is_idle and self.plan.scores_winner_only:
            return Outcome(name, entry, rows[:0], None, (flags.NOT_RUN, "no source was given"))
        # a transfer's path differentiates its sources, and Square differentiates nothing
        is_direct = entry.attack.cost.slopes > 0 and not isinstance(entry.attack, Transfer)
        obstacle = entry.gradient.obstacle(self.classifier, self.batch.images) if is_direct else None
        if obstacle is not None:
            absence = (flags.NOT_APPLICABLE, obstacle.reason)
            return Outcome(name, entry, rows[:0], None, absence, obstacle.weakens)
        tried = self._tried(name, entry, rows) if len(rows) else None
        return Outcome(name, entry, rows, tried, (flags.LOST, "no held-out draw was right before"))

    def _tried(self, name: str, entry: Entry, rows: Tensor) -> Tried:
        part, attack = self.batch.part(rows), entry.attack
        attempt = attack.attempt(
            self.classifier,
            part.images,
            part.labels,
            gradient=entry.gradient,
            generator=Streams(self.plan.seed, "attack", part.indices),
            is_random=self.plan.is_random,
        )
        standings: list[Standing] = []
        is_invalid = torch.zeros_like(attempt.is_blind)
        for point, found in ((ANSWER, attempt.images), *attempt.others):
            images, was_invalid = verify(found, part.images, norm=attack.norm, eps=attack.eps)
            is_invalid |= was_invalid
            standings.append(named(name, point, images, self._votes(part, images, "heldout")))
        best = standings[0]
        for standing in standings[1:]:
            best = best.challenged(all_rows(part.images), standing)
        answer = standings[0]
        is_scored = not self.plan.scores_winner_only
        return Tried(
            best=best,
            answer=answer,
            score=self._votes(part, answer.images, "score") if is_scored else None,
            doubts=_doubts(attack, answer.images - part.images, is_invalid, attempt.is_blind),
        )

    def _votes(self, batch: Batch, images: Tensor, purpose: str) -> Votes:
        return collect_votes(
            self.classifier,
            images,
            batch.labels,
            indices=batch.indices,
            seed=self.plan.seed,
            purpose=purpose,
            num_draws=self.plan.num_draws,
            draw_chunk=min(self.plan.num_draws, self._num_rows // len(batch.images)),
        )

    @property
    def _num_rows(self) -> int:
        """Rows of a pass: with fewer images in it there is room for more draws."""
        return self.plan.draw_chunk * len(self.batch.images)


def _doubts(attack: AbstractAttack, change: Tensor, is_invalid: Tensor, is_blind: Tensor) -> list[list[str]]:
    """Return the flags of each image."""
    is_unchanged = attack.norm.size(change) <= _UNCHANGED_SHARE * attack.eps
    reasons = {
        flags.OUT_OF_BALL: is_invalid,
        flags.BLIND: is_blind,
        flags.UNCHANGED: is_unchanged & (attack.eps > 0),
        flags.SHORT: torch.full_like(is_unchanged, attack.reach < attack.eps * (1 - 1e-6)),
    }
    columns = [[flag if is_set else None for is_set in reasons[flag].tolist()] for flag in reasons]
    return [[flag for flag in image if flag] for image in zip(*columns, strict=True)]


def padded_batch(images: Tensor, labels: Tensor, indices: Tensor, *, start: int, size: int) -> Batch:
    """Take ``size`` images from ``start`` on, repeating the last one where there are too few."""
    positions = torch.arange(start, start + size).clamp_max(len(images) - 1)
    there = positions.to(images.device)
    num_real = min(size, len(images) - start)
    return Batch(images[there], labels[there], indices[positions], num_real)
