"""The gradient of the margin, which does not vanish where a network is certain."""

from torch import Tensor

from rsc_snn.attacks import Margin
from rsc_snn.auditing.case import Case
from rsc_snn.gradients import AbstractGradient, Memory


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
