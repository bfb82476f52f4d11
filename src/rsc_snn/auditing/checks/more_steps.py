"""Whether the attack has come to an end."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, percent, point
from rsc_snn.auditing.paired import paired


@dataclass(frozen=True, kw_only=True)
class MoreSteps(AbstractCheck):
    """Lets PGD go on for three times the budget's steps: whether it finds what PGD and APGD did not.

    Of each image the worst of the points kept counts.
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
        few, many = case.strongest, case.strongest_long
        difference = paired(few.tolist(), many.tolist())
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(few.mean())} under PGD and APGD of {steps} steps, and "
            f"{percent(many.mean())} where PGD goes on to {long_steps}; the value is the difference.",
            curve={"PGD": [point(mark, case.worst_until(mark).tolist()) for mark in case.marks]},
            axes=("steps", "accuracy"),
        )


EXAMPLES = (MoreSteps(),)
