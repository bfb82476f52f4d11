"""Random search: the worst of some points that no network was asked about."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim
from rsc_snn.attacks.best import Best
from rsc_snn.checks import require_counts
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class AbstractNoise(AbstractAttack):
    """Tries random points and answers with the worst: of highest loss, after any wrong answer if none varies.

    Args:
        num_steps: Points, >= 1; a single one is not scored.
    """

    num_steps: int = 1

    @final
    def __post_init__(self) -> None:
        super().__post_init__()
        require_counts(num_steps=self.num_steps)

    @property
    @final
    def reach(self) -> float:
        """Any point of the ball: eps."""
        return self.eps

    @property
    @final
    def cost(self) -> Cost:
        """A loss for each of several points."""
        return Cost(levels=self.num_steps if self.num_steps > 1 else 0)

    @abstractmethod
    def sample(self, images: Float[Tensor, "B C H W"], *, generator: Randomness) -> Float[Tensor, "B C H W"]:
        """Return a random perturbation of norm at most ``eps`` for each image."""
        raise NotImplementedError

    @final
    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the worst of the points that were tried."""
        point = self._point(victim, images)
        if self.num_steps == 1:
            return Found(point)
        best, held = Best(images, wrong_first=not victim.varies(images)), victim.held()
        best.see(point, held.level(point))
        for _ in range(self.num_steps - 1):
            point = self._point(victim, images)
            best.see(point, held.level(point))
        return Found(best.points)

    def _point(self, victim: Victim, images: Tensor) -> Tensor:
        return self.project(images + self.sample(images, generator=victim.generator), images)
