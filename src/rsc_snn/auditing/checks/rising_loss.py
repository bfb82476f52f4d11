"""Whether the attack climbs."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, bare_point
from rsc_snn.auditing.paired import paired
from rsc_snn.errors import InputError
from rsc_snn.runs.audit_schema import FAIL, PASS, WARN


@dataclass(frozen=True, kw_only=True)
class RisingLoss(AbstractCheck):
    """Follows PGD from its random start: at the end the answers should be closer to wrong, or more wrong.

    Where they are not, the gradient points nowhere. What is judged is the margin, which has no flat top
    and is not ruled by a few images as cross-entropy is, at both ends over the same held-out draws.
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
        """How much the budget's steps lower the mean margin, on the same images and draws."""
        steps, losses = case.budget.steps, case.loss_by_steps.double()
        if not losses.isfinite().all():
            raise InputError("the loss is not a finite number at every step")
        start, end = (case.margins_after(count).tolist() for count in (0, steps))
        rise = paired(start, end)
        means = losses.mean(1).tolist()
        marks = [mark for mark in (0, *case.marks) if mark < len(means)]
        return Finding(
            verdict=PASS if rise.is_positive else WARN if rise.value > 0 else FAIL,
            value=rise.value,
            threshold=0.0,
            note=f"The mean margin falls by {rise.value:.3g} [{rise.low:.3g}, {rise.high:.3g}] over {steps} "
            "steps, over the same noise at both ends; the curve is the loss that the attack sees.",
            curve={"mean loss": [bare_point(mark, means[mark]) for mark in marks]},
            axes=("steps", "cross-entropy"),
        )


EXAMPLES = (RisingLoss(),)
