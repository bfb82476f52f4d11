"""Several paths at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients.base import AbstractGradient, Loss, Obstacle
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.rate_straight_through import RateStraightThrough
from rsc_snn.gradients.slopes import Level, Slope
from rsc_snn.gradients.surrogate import Surrogate
from rsc_snn.gradients.time_average import TimeAverage
from rsc_snn.neurons import Rectangle, Triangle
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class Ensemble(AbstractGradient):
    """Mean of the gradients of several paths, each brought to the same size.

    Surrogates of different height give gradients that differ by orders of magnitude, so each is divided, per
    image, by its mean absolute value. A gradient that is zero everywhere stays zero: it points nowhere, and
    the others decide. Every path passes the network with draws of its own; the level is the first path's.

    Ozdenizci and Legenstein [arXiv:2311.09266] instead attack once by each of 19 rules, and an image counts
    as broken if any of them breaks it; for that, list the attack with each path.

    Args:
        paths: At least one.
    """

    paths: tuple[AbstractGradient, ...]

    def __post_init__(self) -> None:
        if not self.paths:
            raise InputError("paths of Ensemble must hold at least one gradient path, such as BPTT()")

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
        """Return the first path's level and the mean of all directions."""
        slopes = [
            path.slope(
                classifier,
                images,
                labels,
                loss=loss,
                generator=generator,
                memory=memory.part(number, num_draws=memory.num_draws),
            )
            for number, path in enumerate(self.paths)
        ]
        directions = [_scaled(slope.gradient) for slope in slopes]
        return Slope(slopes[0].level, torch.stack(directions).mean(0))

    def level(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> Level:
        """Return the first path's."""
        return self.paths[0].level(classifier, images, labels, loss=loss, generator=generator)

    @property
    def num_passes(self) -> int:
        """Those of all paths."""
        return sum(path.num_passes for path in self.paths)

    @property
    def num_levels(self) -> int:
        """Those of the first path."""
        return self.paths[0].num_levels

    @property
    def has_statistics(self) -> bool:
        """Whether a path has."""
        return any(path.has_statistics for path in self.paths)

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """That of a path, first of one that weakens an evaluation."""
        found = [path.obstacle(classifier, images) for path in self.paths]
        return max(filter(None, found), key=lambda obstacle: obstacle.weakens, default=None)


def _scaled(gradient: Tensor) -> Tensor:
    """Divide by the mean absolute value of each image; by the largest first, against underflow."""
    tiny = torch.finfo(gradient.dtype).tiny
    scaled = gradient / gradient.abs().amax((1, 2, 3), keepdim=True).clamp_min(tiny)
    return scaled / scaled.abs().mean((1, 2, 3), keepdim=True).clamp_min(tiny)


_WIDTHS = (3.0, 2.0, 1.0, 0.5, 0.25)
_LENGTHS = (4.0, 2.0, 1.0, 0.5, 0.25)

EXAMPLES = (
    Ensemble(paths=(BPTT(), TimeAverage())),  # MIX-PGD of HART
    Ensemble(  # those of the 19 rules of Ozdenizci and Legenstein that exist here
        paths=(
            *(Surrogate(surrogate=Triangle(width=width)) for width in _WIDTHS),
            *(Surrogate(surrogate=Rectangle(width=width)) for width in _LENGTHS),
            RateStraightThrough(),
        )
    ),
)
