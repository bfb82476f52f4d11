"""Adversarial training: the objective on the worst images that an attack finds."""

from dataclasses import dataclass, field
from typing import final

from jaxtyping import Float, Int64
from torch import Generator, Tensor

from rsc_snn.attacks import FGSM, AbstractAttack
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients import BPTT, AbstractGradient
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.objectives.crafting import crafting
from rsc_snn.objectives.cross_entropy import CrossEntropy
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class AbstractAdversarial(AbstractObjective):
    """An objective on images that an adversary has changed.

    Args:
        objective: The loss on the changed images; E-RSCT's teacher still sees the original ones.
        is_crafted_in_eval_mode: Whether images are made in eval mode, with the running statistics of the
            normalisation, or in the mode of training. Mode and statistics are restored either way.
    """

    objective: AbstractObjective = field(default_factory=CrossEntropy)
    is_crafted_in_eval_mode: bool = True

    @final
    def constrain(self, classifier: AbstractClassifier, *, generator: Generator) -> None:
        """Do what the inner objective does."""
        self.objective.constrain(classifier, generator=generator)


@dataclass(frozen=True, kw_only=True)
class Adversarial(AbstractAdversarial):
    """Training on adversarial images only [Madry et al., arXiv:1706.06083, Eq. 2.1; RSC-SNN, Table 5].

    The paper trains on "low-intensity FGSM samples" without giving eps; 2/255 is that of SNN-RAT's code,
    whose protocol it follows. The attack sees noise of its own, not that of the update.

    Args:
        attack: Makes the images: FGSM, PGD or any other.
        gradient: How it differentiates.
    """

    attack: AbstractAttack = field(default_factory=lambda: FGSM(eps=2 / 255))
    gradient: AbstractGradient = field(default_factory=BPTT)

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return loss and logits of the adversarial images."""
        with crafting(classifier, in_eval_mode=self.is_crafted_in_eval_mode):
            attempt = self.attack.perturb(
                classifier, images, labels, gradient=self.gradient, generator=generator
            )
        seen = images if originals is None else originals
        return self.objective.loss_and_logits(
            classifier, attempt.images, labels, generator=generator, originals=seen
        )


EXAMPLES = (Adversarial(), Adversarial(is_crafted_in_eval_mode=False))
