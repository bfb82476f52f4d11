"""Prediction of the majority vote, or abstention where the draws leave it open. Axes: N images, K classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.stats import binomtest
from torch import Tensor

from rsc_snn.certification.bounds import require_alpha
from rsc_snn.certification.certify import (
    BATCH_SIZE,
    ROWS_PER_PASS,
    make_voter,
    require_guarantee,
    require_votable,
)
from rsc_snn.checks import require_counts, require_indices
from rsc_snn.classifier import AbstractClassifier


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the majority answers about one image.

    Attributes:
        index: Of the image in its data set.
        predicted: The class; None where the draws do not tell the first from the second (abstained).
        counts: Answers by class, [K].
    """

    index: int
    predicted: int | None
    counts: list[int]


def predict(
    classifier: AbstractClassifier,
    images: Float[Tensor, "N C H W"],
    *,
    num_draws: int = 1000,
    alpha: float = 0.001,
    seed: int = 0,
    indices: Sequence[int] | Tensor | None = None,
    rows_per_pass: int = ROWS_PER_PASS,
) -> list[Prediction]:
    """Predict the most probable answer of a random classifier [PREDICT of Cohen et al., arXiv:1902.02918].

    It is the class with most votes, if a two-sided binomial test of equal chances of the first two classes
    has a p-value of at most ``alpha``. So another class than the most probable one is returned with
    probability ``alpha`` at most [Hung and Fithian, Ann. Stat. 2019].

    Args:
        classifier: In eval mode, with a coding that has noise.
        images: Pixels in [0, 1].
        num_draws: Votes of an image.
        alpha: Probability of a wrong class, at most, in (0, 1/2).
        seed: Of the noise.
        indices: Index of each image in its data set, which its noise belongs to; None is 0 ... N - 1.
        rows_per_pass: (image, draw) pairs of a forward pass.

    Raises:
        InputError (a ValueError): as for ``certify``.
    """
    require_counts(num_draws=num_draws)
    require_alpha(alpha)
    require_votable(classifier, images)
    require_guarantee(classifier, images)
    voter = make_voter(classifier, images, seed=seed, rows_per_pass=rows_per_pass)
    keys = require_indices(indices, num_images=len(images))
    found: list[Prediction] = []
    for rows in torch.arange(len(images)).split(BATCH_SIZE):
        part = images[rows.to(images.device)]
        counts = voter.count(part, keys[rows], "estimate", first=0, num_draws=num_draws).tolist()
        found += [
            Prediction(index=index, predicted=majority_of(votes, alpha), counts=votes)
            for index, votes in zip(keys[rows].tolist(), counts, strict=True)
        ]
    return found


def majority_of(counts: Sequence[int], alpha: float) -> int | None:
    """Return the class with most votes, or None if the second might be as probable, at ``alpha``."""
    best = max(range(len(counts)), key=counts.__getitem__)
    second = max((count for k, count in enumerate(counts) if k != best), default=0)
    is_clear = binomtest(counts[best], counts[best] + second, 0.5).pvalue <= alpha
    return best if is_clear else None
