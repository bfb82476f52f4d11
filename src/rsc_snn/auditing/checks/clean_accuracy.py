"""Whether there is anything to break."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, percent
from rsc_snn.evaluation.intervals import estimate
from rsc_snn.runs.audit_schema import PASS, WARN


@dataclass(frozen=True, kw_only=True)
class CleanAccuracy(AbstractCheck):
    """Looks at the images as they are.

    Where hardly one is right, other checks pass for want of anything to break.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "there is accuracy to lose"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Accuracy without an attack."""
        found = estimate(case.clean.tolist())
        return Finding(
            verdict=PASS if found.low > case.chance else WARN,
            value=found.value,
            threshold=case.chance,
            note=f"{percent(found.value)} [{percent(found.low)}, {percent(found.high)}] without an attack, "
            f"{percent(case.chance)} by guessing; where the interval reaches that, a pass of other checks "
            "says little.",
        )


EXAMPLES = (CleanAccuracy(),)
