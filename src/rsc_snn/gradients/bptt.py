"""Backpropagation through time."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients.base import AbstractGradient, Loss
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class BPTT(AbstractGradient):
    """Backpropagates through all time steps and the training surrogate, with one draw of the noise.

    This is how the paper attacks [RSC-SNN, Section 4.2]. Only the image is differentiated: parameters get
    no gradient.
    """

    def loss_and_gradient(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B C H W"]]:
        """Return loss and gradient of one pass over a fresh draw."""
        with torch.enable_grad():
            leaf = images.detach().requires_grad_()
            losses = loss(classifier.logits(leaf, generator), labels)
            gradient = None
            if losses.requires_grad:
                (gradient,) = torch.autograd.grad(losses.sum(), leaf, allow_unused=True)
            if gradient is None:
                raise InputError(
                    "the logits do not depend on the images by any differentiable path; a module that "
                    "detaches or thresholds its input cannot be attacked by BPTT"
                )
        return losses.detach(), gradient


EXAMPLES = (BPTT(),)
