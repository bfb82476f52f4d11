"""Certification of images: votes under noise, a bound on their share, a radius.

Axes: B images of a batch, K classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.attacks.conditions import answered_classes
from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.certificate import Certificate, Demand
from rsc_snn.certification.sequence import is_hopeless, is_proven, lower_bound_so_far
from rsc_snn.certification.votes import Voter, require_no_other_noise
from rsc_snn.checks import require_images, require_indices, require_labels
from rsc_snn.classifier import AbstractClassifier, require_classifier
from rsc_snn.errors import InputError
from rsc_snn.evaluation.evaluate import require_eval_mode
from rsc_snn.guarantees import AbstractGuarantee

ROWS_PER_PASS = 256
BATCH_SIZE = 8


def certify(
    classifier: AbstractClassifier,
    images: Float[Tensor, "N C H W"],
    labels: Int64[Tensor, "N"],
    *,
    num_select: int = 100,
    num_estimate: int = 100_000,
    alpha: float = 0.001,
    seed: int = 0,
    indices: Sequence[int] | Tensor | None = None,
    radius: float | None = None,
    rows_per_pass: int = ROWS_PER_PASS,
) -> list[Certificate]:
    """Certify the majority vote of a random classifier [CERTIFY of Cohen et al., arXiv:1902.02918].

    The class is chosen by ``num_select`` draws; other draws bound its probability from below, by Clopper
    and Pearson's bound; what the noise of the coding proves turns the bound into a radius. Both kinds of
    draws are keyed by image. With ``radius``, an anytime-valid sequence stops at the decision whether that
    radius is proven, and its bound, somewhat lower, gives the radius.

    Args:
        classifier: In eval mode, with a coding that has noise.
        images: Pixels in [0, 1].
        labels: Class of each image; certificates do not depend on them.
        num_select: Draws by which the class is chosen.
        num_estimate: Draws of the bound; the most, with ``radius``.
        alpha: Probability that the certificate of an image is wrong, at most.
        seed: Of the noise.
        indices: Index of each image in its data set, which its noise belongs to; None is 0 ... N - 1.
        radius: Decide about this radius only, with as few draws as it takes.
        rows_per_pass: (image, draw) pairs of a forward pass.

    Raises:
        InputError (a ValueError): training mode, no noise, too few draws for ``alpha``, images or labels that
            do not fit.
    """
    require_classifier(classifier)
    require_images(images)
    require_eval_mode(classifier)
    guarantee = require_guarantee(classifier, images)
    demand = Demand(num_select=num_select, num_estimate=num_estimate, alpha=alpha, seed=seed, target=radius)
    demand.require_possible(guarantee)
    num_classes = classifier.num_classes or answered_classes(classifier, images)
    require_labels(labels, num_images=len(images), num_classes=num_classes)
    keys = require_indices(indices, num_images=len(images))
    voter = Voter(classifier, num_classes, seed, rows_per_pass)
    found: list[Certificate] = []
    for rows in torch.arange(len(images)).split(BATCH_SIZE):
        there = rows.to(images.device)
        found += certify_batch(voter, images[there], labels[there], keys[rows], demand, guarantee)
    return found


def require_guarantee(classifier: AbstractClassifier, images: Tensor) -> AbstractGuarantee:
    """Return what the noise of the classifier proves.

    Raises:
        InputError: it has no coding of ours, that coding has no noise, or the network draws noise of its own.
    """
    coding = classifier.coding
    guarantee = None if coding is None else coding.guarantee(classifier.num_steps, images[0].numel())
    if guarantee is None:
        raise InputError(
            f"a certificate needs a coding with noise, RandomizedSmoothing or Poisson, got {coding}; without "
            "noise nothing is proven"
        )
    require_no_other_noise(classifier, images)
    return guarantee


def certify_batch(
    voter: Voter,
    images: Float[Tensor, "B C H W"],
    labels: Int64[Tensor, "B"],
    indices: Int64[Tensor, "B"],
    demand: Demand,
    guarantee: AbstractGuarantee,
) -> list[Certificate]:
    """Certify images that share passes."""
    chosen = voter.count(images, indices, "select", first=0, num_draws=demand.num_select).argmax(1)
    batch = _Batch(voter, images, indices, chosen, demand, guarantee)
    tallies = batch.tallies_of_all() if demand.target is None else batch.tallies_until_decided()
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

    def tallies_until_decided(self) -> list[_Tally]:
        """Take draws of each image until the sequence proves the target, or does so of its opposite."""
        demand, needed = self.demand, self._needed
        counts = torch.zeros(len(self.images), self.voter.num_classes, dtype=torch.int64)
        left, taken = torch.arange(len(self.images)), 0
        while len(left) and taken < demand.num_estimate:
            more = min(max(1, self.voter.rows_per_pass // len(left)), demand.num_estimate - taken)
            counts[left] += self._counts(left, first=taken, num_draws=more)
            taken += more
            successes = counts[left, self.chosen[left]].numpy()
            given = (successes, taken, needed, demand.alpha)
            left = left[torch.from_numpy(~(is_proven(*given) | is_hopeless(*given)))]
        return [self._decided(found, int(found[top])) for found, top in zip(counts, self.chosen, strict=True)]

    @property
    def _target(self) -> float:
        assert self.demand.target is not None
        return self.demand.target

    @property
    def _needed(self) -> float:
        return self.guarantee.chance_for(self._target)

    def _decided(self, counts: Tensor, successes: int) -> _Tally:
        trials, alpha = int(counts.sum()), self.demand.alpha
        radius = self.guarantee.radius(float(lower_bound_so_far(successes, trials, alpha)))
        is_certified = bool(is_proven(successes, trials, self._needed, alpha))
        return _Tally(counts, max(radius, self._target) if is_certified else radius)

    def _counts(self, rows: Tensor, *, first: int, num_draws: int) -> Tensor:
        images = self.images[rows.to(self.images.device)]
        return self.voter.count(images, self.indices[rows], "estimate", first=first, num_draws=num_draws)
