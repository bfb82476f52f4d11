"""TRADES: accuracy on clean images, and predictions that an adversary cannot move."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from rsc_snn.attacks import AbstractNorm, Linf
from rsc_snn.attacks.base import Victim
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.gradients import BPTT, AbstractGradient
from rsc_snn.objectives.adversarial import AbstractAdversarial
from rsc_snn.objectives.crafting import crafting
from rsc_snn.objectives.ersct import distillation
from rsc_snn.rng import Randomness, normal_like

_START = 0.001


@dataclass(frozen=True)
class _Divergence:
    """KL(clean prediction || prediction) of each image."""

    clean: Tensor
    is_cross_entropy = False

    def at(self, rows: Tensor) -> "_Divergence":
        """Return it for these rows of the batch."""
        return _Divergence(self.clean[rows])

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return it; labels play no part."""
        log_predictions = functional.log_softmax(logits, dim=-1)
        target = functional.log_softmax(self.clean, dim=-1)
        return functional.kl_div(log_predictions, target, reduction="none", log_target=True).sum(-1)


@dataclass(frozen=True, kw_only=True)
class TRADES(AbstractAdversarial):
    """objective(clean) + beta * KL(clean prediction || adversarial prediction) [arXiv:1901.08573, Alg. 1].

    The adversary starts at the image plus N(0, 0.001^2) and maximises the same KL by sign steps, as in the
    authors' code; beta is their 1 / lambda. For a random coding the passes have noise of their own, so that
    part of the KL is noise. A clean-image teacher in ``objective`` is untouched by the adversary.

    Args:
        beta: Weight of the divergence, >= 0.
        eps: Largest perturbation, pixel units.
        step_size: Length of a step, pixel units.
        num_steps: Steps, >= 1.
        norm: How perturbations are measured.
        gradient: How the adversary differentiates.
    """

    beta: float = 6.0
    eps: float = 8 / 255
    step_size: float = 2 / 255
    num_steps: int = 10
    norm: AbstractNorm = field(default_factory=Linf)
    gradient: AbstractGradient = field(default_factory=BPTT)

    def __post_init__(self) -> None:
        self.norm.require_eps(self.eps)
        if not 0 <= self.beta < math.inf:
            raise RangeError(f"beta must be finite and >= 0, got {self.beta}")
        if not 0 < self.step_size < math.inf:
            raise RangeError(f"step_size must be > 0 in pixel units, got {self.step_size}")
        if self.num_steps < 1:
            raise RangeError(f"num_steps must be at least 1, got {self.num_steps}")

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return the loss and the logits of the clean images."""
        with crafting(classifier, in_eval_mode=self.is_crafted_in_eval_mode), torch.no_grad():
            adversarial = self._search(classifier, images, labels, generator)
        loss, clean_BK = self.objective.loss_and_logits(
            classifier, images, labels, generator=generator, originals=originals
        )
        distance = distillation(classifier.logits(adversarial, generator), clean_BK)
        return loss + self.beta * distance, clean_BK

    def _search(
        self, classifier: AbstractClassifier, images: Tensor, labels: Tensor, generator: Randomness
    ) -> Tensor:
        divergence = _Divergence(classifier.logits(images, generator))
        seeing = torch.zeros_like(labels)
        victim = Victim(classifier, labels, divergence, self.gradient, generator, seeing)
        point = images + _START * normal_like(images, 1, generator)[0]
        point = point.clamp(0, 1)
        for _ in range(self.num_steps):
            gradient = victim.slope(point).gradient
            change = point + self.step_size * self.norm.steepest(gradient) - images
            point = (images + self.norm.project(change, self.eps)).clamp(0, 1)
        return point


EXAMPLES = (TRADES(), TRADES(beta=1.0, num_steps=2))
