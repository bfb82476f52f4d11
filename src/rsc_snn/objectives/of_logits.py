"""Objectives that need nothing but the logits of every step."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class AbstractOfLogits(AbstractObjective):
    """An objective that compares logits with labels; E-RSCT adds a teacher to one of these."""

    @abstractmethod
    def of_logits(self, logits_TBK: Float[Tensor, "T B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, ""]:
        """Return the loss of logits that are there already."""
        raise NotImplementedError

    @final
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
        logits_TBK = classifier.logits_over_time(images, generator)
        return self.of_logits(logits_TBK, labels), logits_TBK.mean(0)
