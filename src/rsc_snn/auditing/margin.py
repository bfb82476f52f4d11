"""The margin as a loss, whose gradient does not vanish where a network is certain."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.auditing.case import Case
from rsc_snn.gradients import AbstractGradient, Memory


@dataclass(frozen=True)
class Margin:
    """The largest other logit minus that of the label, [B]."""

    is_cross_entropy: bool = False

    def at(self, rows: Tensor) -> "Margin":
        """Return itself."""
        return self

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the margin of each image; positive is wrong."""
        own = logits.gather(1, labels[:, None])
        return logits.scatter(1, labels[:, None], -torch.inf).amax(1) - own[:, 0]


def margin_slope(case: Case, path: AbstractGradient, rows: slice) -> tuple[Tensor, Tensor]:
    """Return margin [B] and its gradient [B, C, H, W] at some images, as they are."""
    found = path.slope(
        case.classifier,
        case.images[rows],
        case.labels[rows],
        loss=Margin(),
        generator=case.noise("attack", rows),
        memory=Memory(),
    )
    case.passes += len(case.images[rows]) * path.num_passes
    return found.level.loss, found.gradient
