"""The clamp of a coding as the identity."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError
from rsc_snn.gradients.base import AbstractGradient, AbstractWrapper, Loss, Obstacle
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.slopes import Slope
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class StraightThroughClamp(AbstractWrapper):
    """Takes d current / d image as 1 where the coding clamped, instead of 0 [BPDA, arXiv:1802.00420].

    Currents and noise are those of the coding. A pixel whose noise left [0, 1] then still has a gradient.

    Args:
        of: How the network behind the coding is differentiated.
    """

    of: AbstractGradient = field(default_factory=BPTT)

    def slope(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
        memory: Memory,
    ) -> Slope:
        """Return what the path does, with the clamp as the identity; InputError where there is none."""
        with _unclamped(classifier):
            return self.of.slope(classifier, images, labels, loss=loss, generator=generator, memory=memory)

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """That of the path, or a coding that does not clamp."""
        found = super().obstacle(classifier, images)
        if found is None and not _clamps(classifier.coding):
            return Obstacle("no clamp in the coding", weakens=False)
        return found


@dataclass(frozen=True)
class _StraightThrough:
    """A coding as the attacker differentiates it. It is no ``Spec``: nobody lists it or writes it down."""

    coding: AbstractCoding

    def encode(self, image: Tensor, num_steps: int, *, generator: Randomness = None) -> Tensor:
        current = self.coding.encode(image.detach(), num_steps, generator=generator)
        zero = image - image.detach()
        return (current[0] + zero).expand_as(current) if self.is_static else current + zero

    @property
    def is_random(self) -> bool:
        return self.coding.is_random

    @property
    def is_static(self) -> bool:
        return self.coding.is_static

    @property
    def is_clamped(self) -> bool:
        return False


def _clamps(coding: AbstractCoding | None) -> bool:
    return coding is not None and coding.is_clamped


@contextlib.contextmanager
def _unclamped(classifier: AbstractClassifier) -> Iterator[None]:
    coding = classifier.coding
    if coding is None or not coding.is_clamped:
        raise InputError(
            f"StraightThroughClamp expects a coding that clamps, got {coding}; use its path alone"
        )
    classifier.coding = cast(AbstractCoding, _StraightThrough(coding))
    try:
        yield
    finally:
        classifier.coding = coding


EXAMPLES = (StraightThroughClamp(),)
