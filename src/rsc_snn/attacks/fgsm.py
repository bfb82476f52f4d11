"""The fast gradient sign method."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Victim


@dataclass(frozen=True, kw_only=True)
class FGSM(AbstractAttack):
    """One step of length eps along the steepest direction: x + eps * sign(gradient) [RSC-SNN, Eq. 3]."""

    @property
    def reach(self) -> float:
        """The one step: eps."""
        return self.eps

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the images after the one step."""
        _, gradient = victim.loss_and_gradient(images)
        return images + self.eps * self.norm.steepest(gradient)


EXAMPLES = (FGSM(eps=8 / 255),)
