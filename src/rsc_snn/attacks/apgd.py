"""Auto-PGD: gradient ascent that chooses its step size itself."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim
from rsc_snn.attacks.best import Best
from rsc_snn.attacks.checkpoints import checkpoints
from rsc_snn.attacks.restarts import num_levels, search_from_the_edge
from rsc_snn.checks import require_counts
from rsc_snn.gradients import Slope

_NEW = 0.75  # weight of a new step; the rest goes to the step before
_RISING = 0.75  # share of steps that must raise the loss, or the step size is halved


@dataclass(frozen=True, kw_only=True)
class APGD(AbstractAttack):
    """Gradient ascent with momentum that halves its step when progress stalls [arXiv:2003.01690, Alg. 1].

    It begins at a random point of norm eps with steps of 2 eps. At each checkpoint, an image whose loss rose
    in fewer than 75 % of the steps, or whose best loss did not change since the last checkpoint, goes back to
    its best point with half the step. The answer is the worst point visited: the one of highest loss, after
    any wrong answer if answers do not vary. The loss of a random network is the mean over the draws of the
    gradient path, so that one lucky draw out of many decides little.

    As in the authors' code, the first step counts as a rise if its loss is above 0 (in the paper, above that
    of the start).

    Args:
        num_steps: Steps, >= 1.
        num_restarts: Searches, >= 1.
    """

    num_steps: int = 100
    num_restarts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_counts(num_steps=self.num_steps, num_restarts=self.num_restarts)

    @property
    def reach(self) -> float:
        """It starts at eps."""
        return self.eps

    @property
    def cost(self) -> Cost:
        """A gradient at each point, that of the start included."""
        return Cost(
            slopes=self.num_restarts * (self.num_steps + 1),
            levels=num_levels(self.num_restarts),
            searches=self.num_restarts,
        )

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the worst point visited; the others are the start and the last point."""
        return search_from_the_edge(self, self._climb_from, victim, images, num_restarts=self.num_restarts)

    def _climb_from(self, start: Tensor, images: Tensor, victim: Victim) -> Found:
        point = earlier = start
        slope = victim.slope(point)
        worst = Best(images, wrong_first=not victim.varies(images))
        worst.see(start, slope.level)
        steps = _StepSizes(start, slope, eps=self.eps)
        reviews = checkpoints(self.num_steps)
        gradient = slope.gradient
        for step in range(1, self.num_steps + 1):
            aim = self.project(point + steps.size * self.norm.steepest(gradient), images)
            share = _NEW if step > 1 else 1.0
            moved = point + share * (aim - point) + (1 - share) * (point - earlier)
            earlier, point = point, self.project(moved, images)
            slope = victim.slope(point)
            worst.see(point, slope.level)
            steps.see(point, slope)
            last, gradient = point, slope.gradient
            if step in reviews:
                point, gradient = steps.review(point, gradient, num_steps=reviews[step])
        return Found(worst.points, (("start", start), ("last", last)))


class _StepSizes:
    """The step size of each image, and the best point by loss alone, to which it may go back."""

    def __init__(self, start: Tensor, slope: Slope, *, eps: float):
        self.size = start.new_full((len(start), 1, 1, 1), 2 * eps)
        self._best = Best(start, wrong_first=False)
        self._best.see(start, slope.level)
        self._gradient = slope.gradient
        self._loss = torch.zeros_like(slope.level.loss)
        self._num_rises = torch.zeros_like(slope.level.loss)
        self._best_at_review = self._best.loss.clone()
        self._was_halved = torch.ones_like(self._loss, dtype=torch.bool)

    def see(self, point: Tensor, slope: Slope) -> None:
        """Take in what a step led to."""
        is_best = self._best.see(point, slope.level)
        self._gradient = torch.where(_per_image(is_best), slope.gradient, self._gradient)
        self._num_rises += slope.level.loss > self._loss
        self._loss = slope.level.loss

    def review(self, point: Tensor, gradient: Tensor, *, num_steps: int) -> tuple[Tensor, Tensor]:
        """Halve steps where progress stalls; return each image's point and gradient to go on from."""
        is_oscillating = self._num_rises <= _RISING * num_steps
        is_stuck = ~self._was_halved & (self._best_at_review >= self._best.loss)
        self._was_halved = is_oscillating | is_stuck
        self._best_at_review = self._best.loss.clone()
        self._num_rises.zero_()
        goes_back = _per_image(self._was_halved)
        self.size = torch.where(goes_back, self.size / 2, self.size)
        return (
            torch.where(goes_back, self._best.points, point),
            torch.where(goes_back, self._gradient, gradient),
        )


def _per_image(values: Tensor) -> Tensor:
    return values.reshape(-1, 1, 1, 1)


EXAMPLES = (APGD(num_steps=10), APGD(num_steps=5, num_restarts=2))
