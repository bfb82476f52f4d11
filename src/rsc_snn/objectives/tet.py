"""Temporal efficient training: every time step answers for itself."""

import math
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from rsc_snn.errors import RangeError
from rsc_snn.objectives.of_logits import AbstractOfLogits


@dataclass(frozen=True, kw_only=True)
class TET(AbstractOfLogits):
    """The pre-synaptic loss L_P-S of E-RSCT [Deng et al., arXiv:2202.11946].

    (1 - w) * mean over t of CE(O(t), y) + w * mean over t, batch and class of (O(t) - target)^2, where O(t)
    is the input current of the read-out at step t and w the weight of the second term. The prediction
    remains the mean over t.

    Args:
        mse_weight: w in [0, 1]. 1e-3 is the default of the authors' code; their paper uses 0.05 on images.
        target: Where the second term pulls the currents, in units of the membrane; theirs is the threshold.
    """

    mse_weight: float = 1e-3
    target: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.mse_weight <= 1:
            raise RangeError(f"mse_weight must lie in [0, 1], got {self.mse_weight}")
        if not math.isfinite(self.target):
            raise RangeError(f"target must be finite, got {self.target}")

    def of_logits(self, logits_TBK: Float[Tensor, "T B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, ""]:
        """Return the loss of logits that are there already."""
        repeated = labels.repeat(len(logits_TBK))
        cross_entropy = functional.cross_entropy(logits_TBK.flatten(0, 1), repeated)
        distance = (logits_TBK - self.target).square().mean()
        return (1 - self.mse_weight) * cross_entropy + self.mse_weight * distance


EXAMPLES = (TET(), TET(mse_weight=0.05))
