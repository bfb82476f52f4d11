"""Sign 4: an attack without a bound does not always succeed."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, percent
from rsc_snn.auditing.paired import is_surely_above
from rsc_snn.auditing.strengths import AXES, eps_curve
from rsc_snn.evaluation.intervals import estimate
from rsc_snn.runs.audit_schema import FAIL, PASS, WARN


@dataclass(frozen=True, kw_only=True)
class Unbounded(AbstractCheck):
    """Attacks with eps = 1, where every image can be turned into every other one.

    From eps = 0.5 on all images can become the same grey, which has one answer: whatever is above guessing
    there is the attack's failure. At 1 an image of another class is in reach, so the accuracy should be
    about 0; half of guessing is what is tolerated.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "without a bound nothing is left"

    @property
    def sign(self) -> int | None:
        """The fourth."""
        return 4

    def measure(self, case: Case) -> Finding:
        """Accuracy at eps = 1."""
        accuracies = case.ascended(1.0, case.budget.steps).tolist()
        found, limit = estimate(accuracies), case.chance / 2
        is_certain = is_surely_above(accuracies, limit)
        verdict = (FAIL if is_certain else WARN) if found.value > limit else PASS
        return Finding(
            verdict=verdict,
            value=found.value,
            threshold=limit,
            note=f"Accuracy at eps 1 is {percent(found.value)} [{percent(found.low)}, "
            f"{percent(found.high)}], where any image can be reached; guessing gives {percent(case.chance)}.",
            curve={"PGD": eps_curve(case)},
            axes=AXES,
        )


EXAMPLES = (Unbounded(),)
