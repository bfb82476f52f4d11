"""What a gradient path is: how an attacker differentiates a network."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.rng import Randomness
from rsc_snn.spec import Spec

Loss = Callable[[Tensor, Tensor], Tensor]


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
            loss: Maps logits [B, K] and labels [B] to a loss [B] that the attacker maximises.
            generator: Where the defence's noise comes from.
        """
        raise NotImplementedError
