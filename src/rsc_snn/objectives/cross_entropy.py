"""The standard objective."""

from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(AbstractObjective):
    """Cross-entropy of the logits' mean over time, averaged over the batch."""

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return the loss and the mean logits."""
        logits_BK = classifier.logits(images, generator)
        return functional.cross_entropy(logits_BK, labels), logits_BK


EXAMPLES = (CrossEntropy(),)
