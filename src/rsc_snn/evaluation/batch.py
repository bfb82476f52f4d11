"""One unit of work: a batch of images under every entry of a list, judged, as rows.

Axes: B images of the batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.attacks import L2, AbstractNorm, Entry, Linf
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.evaluation.judge import Votes, collect_votes, most_harmful, verify
from rsc_snn.evaluation.plan import Plan
from rsc_snn.evaluation.summary import WORST
from rsc_snn.rng import Streams
from rsc_snn.runs.files import Row

CLEAN = "clean"
UNCHANGED = "unchanged"
OUT_OF_BALL = "out-of-ball"
BLIND = "zero-gradient"
SHORT = "short-of-ball"
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


@dataclass(frozen=True)
class Candidate:
    """A perturbed batch with what the judge measured of it.

    Attributes:
        name: Of the entry it came from, or "clean".
        entry: The entry, None for the clean images.
        heldout: Votes that choices are made on.
        score: Votes that are reported.
        linf: Largest change of a pixel, [B].
        l2: Euclidean length of the change, [B].
        flags: Reasons to doubt, for each image.
    """

    name: str
    entry: Entry | None
    heldout: Votes
    score: Votes
    linf: Tensor
    l2: Tensor
    flags: list[list[str]]


@dataclass(frozen=True)
class Judge:
    """Scores candidates of one batch; the clean one comes first."""

    classifier: AbstractClassifier
    plan: Plan
    batch: Batch

    def clean(self) -> Candidate:
        """Score the images as they are."""
        no_flags: list[list[str]] = [[] for _ in self.batch.images]
        return self._measure(CLEAN, None, self.batch.images, no_flags)

    def attacked(self, name: str, entry: Entry) -> Candidate:
        """Run an attack, move what it found into the ball, and score it."""
        attack, batch = entry.attack, self.batch
        attempt = attack.attempt(
            self.classifier,
            batch.images,
            batch.labels,
            gradient=entry.gradient,
            generator=Streams(self.plan.seed, "attack", batch.indices),
        )
        images, is_invalid = verify(attempt.images, batch.images, norm=attack.norm, eps=attack.eps)
        is_unchanged = attack.norm.size(images - batch.images) <= _UNCHANGED_SHARE * attack.eps
        is_short = torch.full_like(is_unchanged, attack.reach < attack.eps * (1 - 1e-6))
        reasons = {
            OUT_OF_BALL: is_invalid,
            BLIND: attempt.is_blind,
            UNCHANGED: is_unchanged & (attack.eps > 0),
            SHORT: is_short,
        }
        columns = [[flag if is_set else None for is_set in reasons[flag].tolist()] for flag in reasons]
        flags = [[flag for flag in image if flag] for image in zip(*columns, strict=True)]
        return self._measure(name, entry, images, flags)

    def _measure(self, name: str, entry: Entry | None, images: Tensor, flags: list[list[str]]) -> Candidate:
        change = images - self.batch.images
        return Candidate(
            name=name,
            entry=entry,
            heldout=self._votes(images, "heldout"),
            score=self._votes(images, "score"),
            linf=Linf().size(change).cpu(),
            l2=L2().size(change).cpu(),
            flags=flags,
        )

    def _votes(self, images: Tensor, purpose: str) -> Votes:
        return collect_votes(
            self.classifier,
            images,
            self.batch.labels,
            indices=self.batch.indices,
            seed=self.plan.seed,
            purpose=purpose,
            num_draws=self.plan.num_draws,
            draw_chunk=self.plan.draw_chunk,
        )


def judge_list(judge: Judge, clean: Candidate, suite: str, entries: list[tuple[str, Entry]]) -> list[Row]:
    """Run the entries of one norm and eps; return their rows and those of the worst case."""
    candidates = [clean, *(judge.attacked(name, entry) for name, entry in entries)]
    winners = most_harmful([candidate.heldout for candidate in candidates]).tolist()
    attack = entries[0][1].attack
    labels = judge.batch.labels.tolist()  # once, since each read waits for the device
    describe = _Describe(judge.plan, judge.batch, suite, clean, attack.norm, attack.eps, labels)
    images = range(judge.batch.num_real)
    rows = [describe.row(candidate, i) for candidate in candidates[1:] for i in images]
    return rows + [describe.worst(candidates[winners[i]], i) for i in images]


def keys_of_list(
    plan: Plan, suite: str, entries: list[tuple[str, Entry]], indices: list[int]
) -> set[tuple[object, ...]]:
    """The keys of all rows of a list before they are computed."""
    attack = entries[0][1].attack
    names = [*(name for name, _ in entries), WORST]
    front = (suite, plan.budget, plan.seed, attack.eps, attack.norm.name)
    return {(*front, name, index) for name in names for index in indices}


@dataclass(frozen=True)
class _Describe:
    plan: Plan
    batch: Batch
    suite: str
    clean: Candidate
    norm: AbstractNorm
    eps: float
    labels: list[int]

    def row(self, candidate: Candidate, i: int) -> Row:
        """The row of an entry for image i."""
        entry = candidate.entry
        return {
            "suite": self.suite,
            "budget": self.plan.budget,
            "seed": self.plan.seed,
            "eps": self.eps,
            "norm": self.norm.name,
            "entry": candidate.name,
            "index": int(self.batch.indices[i]),
            "label": self.labels[i],
            "attack": repr(entry.attack) if entry else None,
            "gradient": repr(entry.gradient) if entry else None,
            "num_draws": self.plan.num_draws,
            "clean_counts": self.clean.score.counts[i].tolist(),
            "adversarial_counts": candidate.score.counts[i].tolist(),
            "heldout_counts": candidate.heldout.counts[i].tolist(),
            "heldout_margin": float(candidate.heldout.margin[i]),
            "linf": float(candidate.linf[i]),
            "l2": float(candidate.l2[i]),
            "flags": candidate.flags[i],
            "batch_size": self.plan.batch_size,
            "draw_chunk": self.plan.draw_chunk,
        }

    def worst(self, winner: Candidate, i: int) -> Row:
        """The row of the worst case for image i; its score is on draws that did not choose it."""
        row = self.row(winner, i)
        return {**row, "entry": WORST, "attack": WORST, "winner": winner.name}


def padded_batch(images: Tensor, labels: Tensor, indices: Tensor, *, start: int, size: int) -> Batch:
    """Take ``size`` images from ``start`` on, repeating the last one where there are too few."""
    positions = torch.arange(start, start + size).clamp_max(len(images) - 1)
    there = positions.to(images.device)
    num_real = min(size, len(images) - start)
    return Batch(images[there], labels[there], indices[positions], num_real)
