"""Backpropagation through time."""

import contextlib
from contextlib import AbstractContextManager
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.memory import Memory


@dataclass(frozen=True, kw_only=True)
class BPTT(AbstractPath):
    """Backpropagates through all time steps and the training surrogate, with one draw of the noise.

    This is how the paper attacks [RSC-SNN, Section 4.2]. Only the image is differentiated: parameters get
    no gradient.
    """

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Change nothing."""
        return contextlib.nullcontext()

    @property
    def has_statistics(self) -> bool:
        """False."""
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """None: every network can be tried."""
        return None


EXAMPLES = (BPTT(),)
