"""Stable adaptive PGD: steps divided by the size that gradients had lately."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim
from rsc_snn.attacks.best import Best
from rsc_snn.attacks.checkpoints import checkpoints
from rsc_snn.attacks.norms import L2, Linf
from rsc_snn.attacks.restarts import num_levels, search_from_the_edge
from rsc_snn.checks import require_counts
from rsc_snn.errors import InputError

_KEPT_DIRECTION = 0.5
_KEPT_SIZE = 0.8
_MARGIN = 1e-12


@dataclass(frozen=True, kw_only=True)
class SAPGD(AbstractAttack):
    """Gradient ascent whose step follows m / sqrt(v) [arXiv:2512.22522, SA-PGD].

    With gradient g at each step, and means over the pixels of an image:

        m <- 0.5 m + g / mean |g|,    v <- 0.8 v + g^2 / mean(g^2),
        x <- project(x + clip(eta m / (sqrt(v) + 1e-12), -eta, eta)).

    eta begins at eps and is halved at each of APGD's checkpoints, whatever the loss did; the start is a
    random point of norm eps. The answer is the worst point visited: the one of highest loss, after any wrong
    answer if answers do not vary (the authors' code counts errors of random networks too).

    In l_2, which the authors do not treat, an image takes the place of a pixel: m <- 0.5 m + g / |g|_2 and
    v <- 0.8 v + 1, a number per image, and the step is shortened to eta where it is longer.

    Args:
        num_steps: Steps, >= 1.
        num_restarts: Searches, >= 1.
    """

    num_steps: int = 100
    num_restarts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_counts(num_steps=self.num_steps, num_restarts=self.num_restarts)
        if self.norm.name not in _UNITS:
            raise InputError(f"norm of SAPGD must be Linf() or L2(), got {self.norm!r}; APGD takes any")

    @property
    def reach(self) -> float:
        """It starts at eps."""
        return self.eps

    @property
    def cost(self) -> Cost:
        """A gradient for each step, and the loss of the last point."""
        return Cost(
            slopes=self.num_restarts * self.num_steps,
            levels=self.num_restarts + num_levels(self.num_restarts),
            searches=self.num_restarts,
        )

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the worst point visited; the others are the start and the last point."""
        return search_from_the_edge(self, self._climb_from, victim, images, num_restarts=self.num_restarts)

    def _climb_from(self, start: Tensor, images: Tensor, victim: Victim) -> Found:
        worst = Best(images, wrong_first=not victim.varies(images))
        in_units, reviews = _UNITS[self.norm.name], checkpoints(self.num_steps)
        point, eta = start, self.eps
        direction = square = torch.zeros_like(images)
        for step in range(1, self.num_steps + 1):
            slope = victim.slope(point)
            worst.see(point, slope.level)
            new_direction, new_square = in_units(slope.gradient)
            direction = _KEPT_DIRECTION * direction + new_direction
            square = _KEPT_SIZE * square + new_square
            move = self.norm.project(eta * direction / (square.sqrt() + _MARGIN), eta)
            point = self.project(point + move, images)
            if step in reviews:
                eta /= 2
        worst.see(point, victim.level(point))
        return Found(worst.points, (("start", start), ("last", point)))


def _pixels(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Each pixel for itself: gradient and its square, in units of their means over the image."""
    direction = _over(gradient, gradient.abs().mean((1, 2, 3), keepdim=True))
    square = direction.square()
    return direction, _over(square, square.mean((1, 2, 3), keepdim=True))


def _image(gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The image as one: a gradient of length 1, whose square is 1."""
    return L2().steepest(gradient), torch.ones_like(gradient[:, :1, :1, :1])


def _over(values: Tensor, unit: Tensor) -> Tensor:
    return values / unit.clamp_min(torch.finfo(unit.dtype).tiny)


_UNITS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {Linf().name: _pixels, L2().name: _image}

EXAMPLES = (SAPGD(num_steps=10), SAPGD(num_steps=5, num_restarts=2))
