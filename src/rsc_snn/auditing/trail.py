"""Following an attack: the points it visits and the losses it sees, by steps."""

from collections.abc import Collection
from dataclasses import dataclass, field

from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients import AbstractWrapper, Loss, Memory, Slope
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
class Followed(AbstractWrapper):
    """A gradient path that writes down where it was asked; it lives for one batch of an audit.

    Args:
        of: The path that answers.
        trail: Where it is written.
    """

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
