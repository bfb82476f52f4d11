"""Zero and vanishing gradients, by gradient path."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, judged_share, percent, point
from rsc_snn.auditing.margin import margin_slope
from rsc_snn.auditing.paths import single_paths
from rsc_snn.evaluation.intervals import estimate
from rsc_snn.gradients import AbstractGradient

_LIMIT = 0.05
_TOLERATED = 0.01
_VANISHING = 1e-3


@dataclass(frozen=True, kw_only=True)
class BlindGradients(AbstractCheck):
    """Differentiates the margin at the images: where it is zero or tiny, a gradient attack is blind.

    Tiny: by the gradient, the strongest change within eps, eps * |gradient|_1, would move the margin by less
    than a thousandth of itself. The margin, unlike cross-entropy, has no flat top of its own.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "there is a gradient"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Share of images with a zero or vanishing gradient by the reference path."""
        shares: dict[str, list[float]] = {}
        for path in single_paths(case.classifier, case.images):
            blind = torch.cat([_is_blind(case, path, rows) for rows in case.batches()])
            shares[type(path).__name__] = blind.double().tolist()
        reference = estimate(shares["BPTT"])
        others = ", ".join(f"{name} {percent(sum(v) / len(v))}" for name, v in shares.items())
        return Finding(
            verdict=judged_share(shares["BPTT"], limit=_LIMIT, tolerated=_TOLERATED),
            value=reference.value,
            threshold=_LIMIT,
            note=f"Images whose gradient is zero or vanishes, by path: {others}; BPTT is judged.",
            curve={name: [point(number, values)] for number, (name, values) in enumerate(shares.items())},
            axes=("gradient path", "share of images"),
        )


def _is_blind(case: Case, path: AbstractGradient, rows: slice) -> Tensor:
    margin, gradient = margin_slope(case, case.averaged(path), rows)
    reach = case.eps * gradient.abs().flatten(1).sum(1)
    return ~(reach >= _VANISHING * margin.abs()) | ~(reach > 0)  # NaN is blind


EXAMPLES = (BlindGradients(),)
