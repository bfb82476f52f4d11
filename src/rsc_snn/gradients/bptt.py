"""Backpropagation through time."""

import contextlib
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.base import AbstractPath, Obstacle
from rsc_snn.gradients.memory import Memory
from rsc_snn.rng import Streams


@dataclass(frozen=True, kw_only=True)
class BPTT(AbstractPath):
    """Backpropagates through all time steps and the training surrogate, with one draw of the noise.

    This is how the paper attacks [RSC-SNN, Section 4.2]. Only the image is differentiated: parameters get
    no gradient.
    """

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Change nothing."""
        return contextlib.nullcontext()

    @property
    def has_statistics(self) -> bool:
        """False."""
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """A foreign module whose logits depend on the images by no differentiable path."""
        if not classifier.has_noise_of_its_own or is_differentiable(classifier, images[:1]):
            return None
        return Obstacle("the logits depend on the images by no differentiable path", weakens=True)


def is_differentiable(classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> bool:
    """Whether the graph leads from the logits to the images, found by trying."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        logits = classifier.logits(leaf, Streams(0, "probe", range(len(leaf))))
        if not logits.requires_grad:
            return False
        (gradient,) = torch.autograd.grad(logits.sum(), leaf, allow_unused=True)
    return gradient is not None


EXAMPLES = (BPTT(),)
