"""Adversarial training of the smoothed classifier."""

from dataclasses import dataclass, field

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.attacks import L2, PGD, AbstractAttack
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.gradients import Expectation
from rsc_snn.objectives.adversarial import AbstractAdversarial, Adversarial
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class SmoothAdv(AbstractAdversarial):
    """Training on adversaries of the mean prediction over noise [Salman et al., arXiv:1906.04584].

    The attack maximises -log of the true class's probability averaged over ``num_draws`` draws of the
    coding. Two choices differ from the authors' code, which reuses the same noise in every step of the attack
    and trains on all of its copies: here every gradient has fresh draws, and the update sees one more.

    Args:
        attack: Makes the images. The default is the l_2 ball of 64/255 in two steps of 2 * eps / steps.
        num_draws: Draws per gradient, m in the paper, >= 1.
    """

    attack: AbstractAttack = field(
        default_factory=lambda: PGD(norm=L2(), eps=64 / 255, step_size=64 / 255, num_steps=2)
    )
    num_draws: int = 2

    def __post_init__(self) -> None:
        if self.num_draws < 1:
            raise RangeError(f"num_draws must be at least 1, got {self.num_draws}")

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return loss and logits of the adversarial images, over one draw."""
        adversarial = Adversarial(
            objective=self.objective,
            is_crafted_in_eval_mode=self.is_crafted_in_eval_mode,
            attack=self.attack,
            gradient=Expectation(num_draws=self.num_draws, loss="mean_probability"),
        )
        return adversarial.loss_and_logits(
            classifier, images, labels, generator=generator, originals=originals
        )


EXAMPLES = (SmoothAdv(),)
