"""What an objective is: classifier and batch in, loss out."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

from jaxtyping import Float, Int64
from torch import Generator, Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.codings import AbstractCoding
from rsc_snn.rng import Randomness
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractObjective(Spec):
    """What training minimises."""

    @final
    def __call__(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
    ) -> Float[Tensor, ""]:
        """Return the loss of a batch, a scalar with a gradient to the classifier's parameters."""
        return self.loss_and_logits(classifier, images, labels, generator=generator)[0]

    @abstractmethod
    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return the loss and the logits that it was computed from, for the running accuracy.

        Args:
            classifier: In the mode (train or eval) that the caller chose.
            images: Pixels in [0, 1].
            labels: Class of each image.
            generator: Where the coding's noise comes from; None is torch's default generator.
            originals: The images before an adversary changed them, for a teacher; None where they are
                ``images`` themselves.
        """
        raise NotImplementedError

    def require_coding(self, coding: AbstractCoding) -> None:
        """Raise InputError if this objective, or one inside, makes no sense with a coding."""
        for value in vars(self).values():
            if isinstance(value, AbstractObjective):
                value.require_coding(coding)

    def constrain(self, classifier: AbstractClassifier, *, generator: Generator) -> None:
        """Change the weights after an update; most objectives leave them as they are.

        Args:
            classifier: The classifier that was just updated.
            generator: For random choices; the same on every process of a run.
        """
        return
