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
    """Follows the loss over the steps of PGD; it should end above that of the random start.

    Where it does not, the gradient points nowhere. Losses are over the draws of the gradient, and the rise
    must be beyond chance.
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
        """Mean loss after the budget's steps minus mean loss at the start, on the same images."""
        losses = case.loss_by_steps.double()
        if not losses.isfinite().all():
            raise InputError("the loss is not a finite number at every step")
        steps = min(case.budget.steps, len(losses) - 1)
        rise = paired(losses[steps].tolist(), losses[0].tolist())
        means = losses.mean(1).tolist()
        marks = [mark for mark in (0, *case.marks) if mark < len(means)]
        return Finding(
            verdict=PASS if rise.is_positive else WARN if rise.value > 0 else FAIL,
            value=rise.value,
            threshold=0.0,
            note=f"The mean loss goes from {means[0]:.3g} at the random start to {means[steps]:.3g} after "
            f"{steps} steps; the interval of the rise is [{rise.low:.3g}, {rise.high:.3g}].",
            curve={"mean loss": [bare_point(mark, means[mark]) for mark in marks]},
            axes=("steps", "cross-entropy"),
        )


EXAMPLES = (RisingLoss(),)
