"""The standard objective."""

from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from rsc_snn.objectives.of_logits import AbstractOfLogits


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(AbstractOfLogits):
    """Cross-entropy of the logits' mean over time, averaged over the batch."""

    def of_logits(self, logits_TBK: Float[Tensor, "T B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, ""]:
        """Return the loss of logits that are there already."""
        return functional.cross_entropy(logits_TBK.mean(0), labels)


EXAMPLES = (CrossEntropy(),)
