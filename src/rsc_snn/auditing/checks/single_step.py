"""Sign 1: a single step does better than many."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, percent, point
from rsc_snn.auditing.paired import paired


@dataclass(frozen=True, kw_only=True)
class SingleStep(AbstractCheck):
    """Compares FGSM with PGD from a random start at the same eps and by the same gradient path.

    Many steps contain what one step can do; if they do worse, the gradients away from the image mislead.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "many steps beat a single one"

    @property
    def sign(self) -> int | None:
        """The first."""
        return 1

    def measure(self, case: Case) -> Finding:
        """Accuracy under PGD minus accuracy under FGSM, on the same images."""
        single, many = case.single_step, case.white_box
        difference = paired(many.tolist(), single.tolist())
        steps = case.budget.steps
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(many.mean())} under PGD of {steps} steps and "
            f"{percent(single.mean())} under FGSM; the value is how much better the single step does.",
            curve={"FGSM, PGD": [point(1, single.tolist()), point(steps, many.tolist())]},
            axes=("steps", "accuracy"),
        )


EXAMPLES = (SingleStep(),)
