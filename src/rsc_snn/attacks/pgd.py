"""Projected gradient ascent."""

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim
from rsc_snn.attacks.best import Best
from rsc_snn.attacks.restarts import num_levels, search_again
from rsc_snn.checks import require_counts
from rsc_snn.errors import RangeError


@dataclass(frozen=True, kw_only=True)
class PGD(AbstractAttack):
    """Steps along the steepest direction, each projected onto the ball and [0, 1] [RSC-SNN, Eq. 4].

    The defaults are the paper's: step 0.01, 7 steps; it does not mention a random start. The answer is the
    last point; of several restarts, each image keeps the last point of highest loss on fresh noise.

    Args:
        step_size: Length of a step, pixel units, > 0.
        num_steps: Gradient steps, >= 1.
        random_start: Whether to begin at a random point of the ball instead of the image.
        num_restarts: Searches, >= 1; all but the first begin at a random point.
        momentum: Share, >= 0, of the direction so far that is added to each gradient divided by its mean
            size [MI-FGSM, arXiv:1710.06081, Eq. 6]; 0 follows the gradient alone.
    """

    step_size: float = 0.01
    num_steps: int = 7
    random_start: bool = False
    num_restarts: int = 1
    momentum: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 < self.step_size < math.inf):
            raise RangeError(f"step_size must be > 0 in pixel units, got {self.step_size:g}")
        if not (0 <= self.momentum < math.inf):
            raise RangeError(f"momentum must be finite and >= 0, such as 1, got {self.momentum:g}")
        require_counts(num_steps=self.num_steps, num_restarts=self.num_restarts)

    @property
    def reach(self) -> float:
        """All steps in one direction, from the edge of the ball if a start is random."""
        has_random_start = self.random_start or self.num_restarts > 1
        return self.num_steps * self.step_size + (self.eps if has_random_start else 0.0)

    @property
    def cost(self) -> Cost:
        """A gradient for each step."""
        return Cost(
            slopes=self.num_restarts * self.num_steps,
            levels=num_levels(self.num_restarts),
            searches=self.num_restarts,
        )

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the last point; among the others are a random start and the point of highest loss."""
        climb = functools.partial(self._climb, images)
        return search_again(
            climb, victim, images, loss=self.loss, num_restarts=self.num_restarts, answer="last"
        )

    def _climb(self, images: Tensor, victim: Victim, restart: int) -> Found:
        point = images
        others: list[tuple[str, Tensor]] = []
        if self.random_start or restart > 0:
            start = self.norm.random(images, self.eps, generator=victim.generator)
            point = self.project(images + start, images)
            others.append(("start", point))
        best = Best(images, wrong_first=False)
        direction = torch.zeros_like(images)
        for _ in range(self.num_steps):
            slope = victim.slope(point)
            best.see(point, slope.level)
            direction = self._direction(slope.gradient, direction)
            point = self.project(point + self.step_size * self.norm.steepest(direction), images)
        return Found(point, (*others, ("best", best.points)))

    def _direction(self, gradient: Tensor, earlier: Tensor) -> Tensor:
        if self.momentum == 0:
            return gradient
        size = gradient.abs().mean((1, 2, 3), keepdim=True)
        return self.momentum * earlier + gradient / size.clamp_min(torch.finfo(size.dtype).tiny)


EXAMPLES = (
    PGD(eps=8 / 255),
    PGD(eps=8 / 255, step_size=2 / 255, num_steps=20, random_start=True),
    PGD(eps=8 / 255, step_size=2 / 255, num_steps=5, num_restarts=2, momentum=1.0),
)
