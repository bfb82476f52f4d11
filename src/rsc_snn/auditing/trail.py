"""Following an attack: the points it visits and the losses it sees, by steps."""

from collections.abc import Collection
from dataclasses import dataclass, field

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients import AbstractGradient, Level, Loss, Memory, Obstacle, Slope
from rsc_snn.rng import Randomness


@dataclass
class Trail:
    """What an attack that asks for one gradient per step went through.

    Attributes:
        wanted: Numbers of steps whose points are kept.
        points: Images after so many steps, [B, C, H, W] each.
        losses: Loss of each image before each step, over the draws of the gradient, [B] each.
    """

    wanted: Collection[int]
    points: dict[int, Tensor] = field(default_factory=dict)
    losses: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed(AbstractGradient):
    """A gradient path that writes down where it was asked; it lives for one batch of an audit.

    Args:
        of: The path that answers.
        trail: Where it is written.
    """

    of: AbstractGradient
    trail: Trail

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
        """Return what the path returns, and note point and loss."""
        found = self.of.slope(classifier, images, labels, loss=loss, generator=generator, memory=memory)
        if len(self.trail.losses) in self.trail.wanted:
            self.trail.points[len(self.trail.losses)] = images.detach().clone()
        self.trail.losses.append(found.level.loss.detach())
        return found

    def level(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> Level:
        """Return what the path returns."""
        return self.of.level(classifier, images, labels, loss=loss, generator=generator)

    @property
    def num_passes(self) -> int:
        """Those of the path."""
        return self.of.num_passes

    @property
    def num_levels(self) -> int:
        """Those of the path."""
        return self.of.num_levels

    @property
    def has_statistics(self) -> bool:
        """Whether the path has."""
        return self.of.has_statistics

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """That of the path."""
        return self.of.obstacle(classifier, images)
