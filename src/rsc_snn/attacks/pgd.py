"""Projected gradient ascent."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim
from rsc_snn.errors import RangeError


@dataclass(frozen=True, kw_only=True)
class PGD(AbstractAttack):
    """Steps along the steepest direction, each projected onto the ball and [0, 1] [RSC-SNN, Eq. 4].

    The defaults are the paper's: step 0.01, 7 steps; it does not mention a random start.

    Args:
        step_size: Length of a step, pixel units, > 0.
        num_steps: Gradient steps, >= 1.
        random_start: Whether to begin at a random point of the ball instead of the image.
    """

    step_size: float = 0.01
    num_steps: int = 7
    random_start: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 < self.step_size < math.inf):
            raise RangeError(f"step_size must be > 0 in pixel units, got {self.step_size:g}")
        if self.num_steps < 1:
            raise RangeError(f"num_steps must be at least 1, got {self.num_steps}")

    @property
    def reach(self) -> float:
        """All steps in one direction, from the edge of the ball if the start is random."""
        return self.num_steps * self.step_size + (self.eps if self.random_start else 0.0)

    @property
    def cost(self) -> Cost:
        """A gradient for each step."""
        return Cost(slopes=self.num_steps)

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the last point."""
        point = images
        if self.random_start:
            start = self.norm.random(images, self.eps, generator=victim.generator)
            point = self.project(images + start, images)
        for _ in range(self.num_steps):
            gradient = victim.slope(point).gradient
            point = self.project(point + self.step_size * self.norm.steepest(gradient), images)
        return Found(point)


EXAMPLES = (
    PGD(eps=8 / 255),
    PGD(eps=8 / 255, step_size=2 / 255, num_steps=20, random_start=True),
)
