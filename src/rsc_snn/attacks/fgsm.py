"""The fast gradient sign method."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim


@dataclass(frozen=True, kw_only=True)
class FGSM(AbstractAttack):
    """One step of length eps along the steepest direction: x + eps * sign(gradient) [RSC-SNN, Eq. 3]."""

    @property
    def reach(self) -> float:
        """The one step: eps."""
        return self.eps

    @property
    def cost(self) -> Cost:
        """One gradient."""
        return Cost(slopes=1)

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the images after the one step."""
        return Found(images + self.eps * self.norm.steepest(victim.slope(images).gradient))


EXAMPLES = (FGSM(eps=8 / 255),)
