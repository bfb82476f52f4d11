"""Certification of images: votes under noise, a bound on their share, a radius. Axes: N images, K classes."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.attacks.conditions import answered_classes
from rsc_snn.certification.batch import certify_batch
from rsc_snn.certification.certificate import Certificate, Demand
from rsc_snn.certification.votes import Voter, require_independent_votes
from rsc_snn.checks import require_counts, require_images, require_indices, require_labels
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
    demand = Demand(num_select=num_select, num_estimate=num_estimate, alpha=alpha, seed=seed, target=radius)
    require_votable(classifier, images)
    guarantee = require_guarantee(classifier, images)
    demand.require_possible(guarantee)
    voter = make_voter(classifier, images, seed=seed, rows_per_pass=rows_per_pass)
    require_labels(labels, num_images=len(images), num_classes=voter.num_classes)
    keys = require_indices(indices, num_images=len(images))
    found: list[Certificate] = []
    for rows in torch.arange(len(images)).split(BATCH_SIZE):
        there = rows.to(images.device)
        found += certify_batch(voter, images[there], labels[there], keys[rows], demand, guarantee)
    return found


def require_votable(classifier: AbstractClassifier, images: Tensor) -> None:
    """Raise InputError unless this is a classifier in eval mode, and those are images."""
    require_classifier(classifier)
    require_images(images)
    require_eval_mode(classifier)


def make_voter(
    classifier: AbstractClassifier, images: Float[Tensor, "N C H W"], *, seed: int, rows_per_pass: int
) -> Voter:
    """Return who is asked for votes, after a check that a pass has rows."""
    require_counts(rows_per_pass=rows_per_pass)
    num_classes = classifier.num_classes or answered_classes(classifier, images)
    return Voter(classifier, num_classes, seed, rows_per_pass)


def require_guarantee(classifier: AbstractClassifier, images: Float[Tensor, "N C H W"]) -> AbstractGuarantee:
    """Return what the noise of the classifier proves.

    Raises:
        InputError: it has no coding of ours, that coding has no noise, or the votes of a pass depend on each
            other.
    """
    coding = classifier.coding
    guarantee = None if coding is None else coding.guarantee(classifier.num_steps, images[0].numel())
    if guarantee is None:
        raise InputError(
            f"a certificate needs a coding with noise, RandomizedSmoothing or Poisson, got {coding}; without "
            "noise nothing is proven"
        )
    require_independent_votes(classifier, images)
    return guarantee
