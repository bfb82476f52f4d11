"""What a gradient path finds at a point: how high the loss is, and where it rises."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Level:
    """How high the loss is at a point.

    Attributes:
        loss: The attacker's loss, over the draws that were taken, [B].
        wrong: Share of those draws that were answered wrongly, [B].
    """

    loss: Float[Tensor, "B"]
    wrong: Float[Tensor, "B"]

    @classmethod
    def joined(cls, levels: "Sequence[Level]") -> "Level":
        """Return those of the parts of a batch as one."""
        return cls(torch.cat([level.loss for level in levels]), torch.cat([level.wrong for level in levels]))


@dataclass(frozen=True)
class Slope:
    """How high the loss is at a point, and where it rises.

    Attributes:
        level: Loss and errors at the point.
        gradient: Of the loss with respect to the image, [B, C, H, W].
    """

    level: Level
    gradient: Float[Tensor, "B C H W"]

    @classmethod
    def joined(cls, slopes: "Sequence[Slope]") -> "Slope":
        """Return those of the parts of a batch as one."""
        level = Level.joined([slope.level for slope in slopes])
        return cls(level, torch.cat([slope.gradient for slope in slopes]))
