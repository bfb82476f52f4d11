"""Pixels that the gradient does not see."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, judged_share, percent, point
from rsc_snn.auditing.margin import margin_slope
from rsc_snn.auditing.paths import single_paths
from rsc_snn.evaluation.intervals import estimate

_LIMIT = 0.5
_TOLERATED = 0.25
_DEAD = 1e-6


@dataclass(frozen=True, kw_only=True)
class DeadPixels(AbstractCheck):
    """Counts the pixels whose gradient is less than a millionth of the image's largest.

    A quantised or steep encoder and a saturated first layer let through few pixels, or none.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "the gradient sees the pixels"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Mean share of dead pixels by the reference path."""
        curve, shares = {}, list[float]()
        for number, path in enumerate(single_paths(case.classifier, case.images)):
            slopes = [margin_slope(case, case.averaged(path), rows)[1] for rows in case.batches()]
            found = torch.cat([_dead_share(gradient) for gradient in slopes]).tolist()
            shares = shares or found  # BPTT comes first
            curve[type(path).__name__] = [point(number, found)]
        share = estimate(shares)
        return Finding(
            verdict=judged_share(shares, limit=_LIMIT, tolerated=_TOLERATED),
            value=share.value,
            threshold=_LIMIT,
            note=f"By BPTT {percent(share.value)} of an image's pixels have no gradient, or less than a "
            "millionth of the largest.",
            curve=curve,
            axes=("gradient path", "share of pixels"),
        )


def _dead_share(gradient: Tensor) -> Tensor:
    sizes = gradient.abs().flatten(1).double().cpu()
    return (~(sizes > _DEAD * sizes.amax(1, keepdim=True))).double().mean(1)


EXAMPLES = (DeadPixels(),)
