"""Consistency regularisation: an image is to be predicted alike under every draw of the noise.

Axes: S draws, B batch, K classes.
"""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError, RangeError
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.objectives.cross_entropy import CrossEntropy
from rsc_snn.rng import Randomness, in_copies


@dataclass(frozen=True, kw_only=True)
class Consistency(AbstractObjective):
    """mean_i L_i + consistency_weight * mean_i KL(F || F_i) + entropy_weight * H(F) [arXiv:2006.04062].

    L_i is the inner objective on draw i of the coding's noise, F_i the prediction softmax(mean logits) of
    that draw, F their mean; every term is averaged over the batch. A prediction that the noise does not
    move, and that is certain, has a large certified radius.

    As in the authors' code all draws share a pass of num_draws * B rows, by which the normalisation's
    statistics are taken, and the defaults are theirs at a standard deviation of 0.5; at 0.25 they take a
    ``consistency_weight`` of 20. They cut each batch into ``num_draws`` parts, so that a pass has B rows;
    here that is ``training.batch_size``. A teacher in ``objective`` answers for every row, in one call; so
    does an adversary in there, which changes each draw's copy of an image on its own. A module that
    is not ours and draws one number for a whole call gives it to every copy.

    Args:
        objective: L, a loss on noisy images.
        consistency_weight: The paper's lambda, >= 0.
        entropy_weight: The paper's eta, >= 0.
        num_draws: Draws of each image, the paper's m, >= 1.
    """

    objective: AbstractObjective = field(default_factory=CrossEntropy)
    consistency_weight: float = 10.0
    entropy_weight: float = 0.5
    num_draws: int = 2

    def __post_init__(self) -> None:
        for name in ("consistency_weight", "entropy_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise RangeError(f"{name} must be finite and >= 0, got {getattr(self, name)}")
        if self.num_draws < 1:
            raise RangeError(f"num_draws must be at least 1, got {self.num_draws}")

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return the loss and the mean logits of the first draw.

        Raises:
            InputError: the classifier has no noise to be consistent under.
        """
        if not classifier.has_noise_of_its_own:
            _require_noise(classifier.coding)
        copied = images.repeat(self.num_draws, 1, 1, 1)
        shown = None if originals is None else originals.repeat(self.num_draws, 1, 1, 1)
        with in_copies(generator, self.num_draws) as noise:
            loss, logits = self.objective.loss_and_logits(
                classifier, copied, labels.repeat(self.num_draws), generator=noise, originals=shown
            )
        logits_SBK = logits.unflatten(0, (self.num_draws, len(images)))
        distance, entropy = spread(logits_SBK)
        return loss + self.consistency_weight * distance + self.entropy_weight * entropy, logits_SBK[0]

    def require_coding(self, coding: AbstractCoding) -> None:
        """Raise InputError if the coding has no noise, or the inner objective does not go with it."""
        _require_noise(coding)
        super().require_coding(coding)

    def constrain(self, classifier: AbstractClassifier, *, generator: Generator) -> None:
        """Do what the inner objective does."""
        self.objective.constrain(classifier, generator=generator)


def spread(logits_SBK: Float[Tensor, "S B K"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return mean_i KL(F || F_i) and H(F) in nats, F_i the predictions of the draws and F their mean.

    Both are averaged over the batch; gradients flow through F as well.
    """
    log_SBK = logits_SBK.log_softmax(-1)
    log_mean_BK = torch.logsumexp(log_SBK, 0) - math.log(len(log_SBK))
    mean_BK = log_mean_BK.exp()
    distance = (mean_BK * (log_mean_BK - log_SBK)).sum(-1).mean()
    entropy = -(mean_BK * log_mean_BK).sum(-1).mean()
    return distance, entropy


def _require_noise(coding: AbstractCoding | None) -> None:
    if coding is None or not coding.is_random:
        raise InputError(
            f"Consistency compares draws of a coding's noise, {coding!r} has none; use Poisson() or "
            "RandomizedSmoothing(variance=0.1)"
        )


EXAMPLES = (Consistency(), Consistency(consistency_weight=20.0, num_draws=3))
