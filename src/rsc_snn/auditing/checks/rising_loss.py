"""Whether the attack climbs."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, bare_point, judged_share, percent
from rsc_snn.evaluation.intervals import estimate

_LIMIT = 0.25
_TOLERATED = 0.1


@dataclass(frozen=True, kw_only=True)
class RisingLoss(AbstractCheck):
    """Follows the loss of each image over the steps of PGD; it should end above its random start.

    Where it does not, the gradient points nowhere. Losses are over the draws of the gradient.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "the loss rises with the steps"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Share of images whose loss after the steps is not above that at the start."""
        losses = case.loss_by_steps.double()
        steps = min(case.budget.steps, len(losses) - 1)
        stuck = estimate((losses[steps] <= losses[0]).double().tolist())
        means = losses.mean(1).tolist()
        marks = [mark for mark in (0, *case.marks) if mark < len(means)]
        return Finding(
            verdict=judged_share(stuck, limit=_LIMIT, tolerated=_TOLERATED),
            value=stuck.value,
            threshold=_LIMIT,
            note=f"On {percent(stuck.value)} of the images the loss after {steps} steps is not above that of "
            f"the random start; its mean goes from {means[0]:.3g} to {means[steps]:.3g}.",
            curve={"mean loss": [bare_point(mark, means[mark]) for mark in marks]},
            axes=("steps", "cross-entropy"),
        )


EXAMPLES = (RisingLoss(),)
