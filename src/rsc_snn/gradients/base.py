"""What a gradient path is: how an attacker differentiates a network."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.rng import Randomness
from rsc_snn.spec import Spec


@runtime_checkable
class Loss(Protocol):
    """What an attacker maximises: logits [B, K] and labels [B] in, a loss [B] out."""

    @property
    def is_cross_entropy(self) -> bool:
        """Whether it is -log of the true class's probability, which can be averaged as a probability."""
        raise NotImplementedError

    def __call__(self, logits: Tensor, labels: Tensor, /) -> Tensor:
        """Return the loss of each image."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AbstractGradient(Spec):
    """A way to get the derivative of an attack's loss with respect to the image."""

    @abstractmethod
    def loss_and_gradient(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B C H W"]]:
        """Return each image's loss and gradient; no image influences another's.

        Args:
            classifier: In eval mode.
            images: Where to differentiate, in [0, 1].
            labels: Class of each image.
            loss: What the attacker maximises.
            generator: Where the defence's noise comes from.
        """
        raise NotImplementedError
