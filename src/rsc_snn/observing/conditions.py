"""What images are changed by before a network is observed: not at all, an attack, noise of the same size."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks import PGD, AbstractAttack, UniformNoise
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import ImageSet
from rsc_snn.gradients import BPTT
from rsc_snn.rng import Streams
from rsc_snn.runs.activity_schema import CLEAN

GRADIENT = BPTT()
ATTACKED, NOISE = "PGD", "noise"


@dataclass(frozen=True)
class Condition:
    """What is done to the images.

    Attributes:
        name: What rows and pictures call it.
        attack: Makes the images; None leaves them as they are.
    """

    name: str
    attack: AbstractAttack | None

    def images(
        self, classifier: SpikingClassifier, clean: ImageSet, *, seed: int
    ) -> Float[Tensor, "B C H W"]:
        """Return the pixels of the changed images, each from random numbers of its own."""
        pixels = clean.pixels()
        if self.attack is None:
            return pixels
        noise = Streams(seed, f"observe {self.name}", clean.indices)
        changed: Tensor = self.attack(classifier, pixels, clean.labels, gradient=GRADIENT, generator=noise)
        return changed


def conditions(eps: float) -> tuple[Condition, ...]:
    """Return the clean images, the paper's PGD, and uniform noise of the same size, l_inf.

    Args:
        eps: Largest perturbation, pixel units.
    """
    return (
        Condition(CLEAN, None),
        Condition(ATTACKED, PGD(eps=eps)),
        Condition(NOISE, UniformNoise(eps=eps)),
    )


def draw_of(images: ImageSet, *, seed: int) -> Streams:
    """The noise of the coding that every condition shares, so that what differs is the image."""
    return Streams(seed, "observe", images.indices).at(torch.zeros_like(images.indices))
