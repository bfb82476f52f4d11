"""Certifying images that share passes: choosing a class, sampling, bounding.

Axes: B images, K classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.certificate import Certificate, Demand
from rsc_snn.certification.sequence import is_hopeless, is_proven, lower_bound_so_far
from rsc_snn.certification.votes import Voter
from rsc_snn.guarantees import AbstractGuarantee

_FIRST_LOOK = 32
_GIVEN_UP_WRONGLY = 0.05  # of the images whose radius could have been proven; futility claims nothing


def certify_batch(
    voter: Voter,
    images: Float[Tensor, "B C H W"],
    labels: Int64[Tensor, "B"],
    indices: Int64[Tensor, "B"],
    demand: Demand,
    guarantee: AbstractGuarantee,
) -> list[Certificate]:
    """Certify images that share passes.

    Args:
        voter: Who is asked.
        images: Pixels in [0, 1].
        labels: Class of each image.
        indices: Index of each image in its data set.
        demand: Draws and alpha.
        guarantee: Of the noise.
    """
    chosen = voter.count(images, indices, "select", first=0, num_draws=demand.num_select).argmax(1)
    batch = _Batch(voter, images, indices, chosen, demand, guarantee)
    tallies = batch.tallies_of_all() if demand.target is None else batch.tallies_until_decided(demand.target)
    return [
        Certificate(
            index=int(indices[row]),
            label=int(labels[row]),
            predicted=int(chosen[row]) if tally.radius > 0 else None,
            radius=tally.radius,
            norm=guarantee.norm,
            counts=tally.counts.tolist(),
            num_draws=int(tally.counts.sum()),
        )
        for row, tally in enumerate(tallies)
    ]


def looks(most: int) -> Iterator[int]:
    """Yield after how many draws of an image one looks: 32, and an eighth more each time, at last ``most``.

    They depend on nothing else, so that an image gets the same draws in any company.
    """
    taken = 0
    while taken < most:
        taken = min(taken + max(_FIRST_LOOK, taken // 8), most)
        yield taken


@dataclass(frozen=True)
class _Tally:
    """Answers of the estimation draws, [K], and the radius that they prove, 0 for none."""

    counts: Tensor
    radius: float


@dataclass(frozen=True)
class _Batch:
    """Images whose class is chosen, and how they are sampled."""

    voter: Voter
    images: Tensor
    indices: Tensor
    chosen: Tensor
    demand: Demand
    guarantee: AbstractGuarantee

    def tallies_of_all(self) -> Iterator[_Tally]:
        """Take all draws and bound the share by Clopper and Pearson."""
        demand = self.demand
        counts = self._counts(torch.arange(len(self.images)), first=0, num_draws=demand.num_estimate)
        for row, found in enumerate(counts):
            successes = int(found[self.chosen[row]])
            lower = float(lower_bound(successes, demand.num_estimate, demand.alpha))
            yield _Tally(found, self.guarantee.radius(lower))

    def tallies_until_decided(self, target: float) -> Iterator[_Tally]:
        """Take draws of each image until the sequence proves the target, or it is given up."""
        demand, needed = self.demand, self.guarantee.chance_for(target)
        counts = torch.zeros(len(self.images), self.voter.num_classes, dtype=torch.int64)
        left, taken = torch.arange(len(self.images)), 0
        for look in looks(demand.num_estimate):
            if not len(left):
                break
            counts[left] += self._counts(left, first=taken, num_draws=look - taken)
            taken, votes = look, counts[left, self.chosen[left]].numpy()
            proven = is_proven(votes, taken, needed, demand.alpha)
            in_vain = is_hopeless(votes, taken, needed, _GIVEN_UP_WRONGLY)
            at_best = is_proven(
                votes + (demand.num_estimate - taken), demand.num_estimate, needed, demand.alpha
            )
            left = left[torch.from_numpy(~proven & ~in_vain & at_best)]
        for found, top in zip(counts, self.chosen, strict=True):
            yield _Tally(found, self._radius(int(found[top]), int(found.sum()), target))

    def _radius(self, successes: int, trials: int, target: float) -> float:
        alpha = self.demand.alpha
        radius = self.guarantee.radius(float(lower_bound_so_far(successes, trials, alpha)))
        is_certified = bool(is_proven(successes, trials, self.guarantee.chance_for(target), alpha))
        return max(radius, target) if is_certified else radius

    def _counts(self, rows: Tensor, *, first: int, num_draws: int) -> Tensor:
        images = self.images[rows.to(self.images.device)]
        return self.voter.count(images, self.indices[rows], "estimate", first=first, num_draws=num_draws)
