"""Whether the attack has come to an end."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, percent, point
from rsc_snn.auditing.paired import paired


@dataclass(frozen=True, kw_only=True)
class MoreSteps(AbstractCheck):
    """Compares the budget's steps with three times as many, on the same way of PGD.

    Of each image the worst of the points kept so far counts.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "more steps change nothing"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Accuracy after few steps minus accuracy after many, on the same images."""
        steps, long_steps = case.budget.steps, case.budget.long_steps
        few, many = case.worst_until(steps), case.worst_until(long_steps)
        difference = paired(few.tolist(), many.tolist())
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(few.mean())} after {steps} steps of PGD and {percent(many.mean())} "
            f"after {long_steps}; the value is the difference.",
            curve={"PGD": [point(mark, case.worst_until(mark).tolist()) for mark in case.marks]},
            axes=("steps", "accuracy"),
        )


EXAMPLES = (MoreSteps(),)
