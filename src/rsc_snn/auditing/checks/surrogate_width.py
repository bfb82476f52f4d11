"""Whether another width of the surrogate would have broken the network."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, not_applicable, percent, point
from rsc_snn.auditing.paired import paired
from rsc_snn.gradients.surrogate import Surrogate
from rsc_snn.neurons import Triangle


@dataclass(frozen=True, kw_only=True)
class SurrogateWidth(AbstractCheck):
    """Attacks through triangular surrogates of several widths instead of the training's surrogate.

    A network that hides behind a narrow surrogate has robustness against attackers who keep it, and only
    against these.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "no other surrogate does better"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Accuracy by the own surrogate minus the lowest over widths, on the same images."""
        obstacle = Surrogate(surrogate=Triangle()).obstacle(case.classifier, case.images[:1])
        if obstacle is not None:
            return not_applicable(obstacle.reason)
        eps, steps, widths = case.eps, case.budget.sweep_steps, case.budget.widths
        own = case.strongest
        by_width = {
            w: case.ascended(eps, steps, case.averaged(Surrogate(surrogate=Triangle(width=w))))
            for w in widths
        }
        best = min(by_width, key=lambda width: by_width[width].mean())
        difference = paired(own.tolist(), by_width[best].tolist(), num_comparisons=len(widths))
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(own.mean())} under the white box by the training's "
            f"surrogate, and {percent(by_width[best].mean())} under PGD by a triangle of width {best:g}, the "
            f"best of {len(widths)}.",
            curve={
                "triangle": [point(width, found.tolist()) for width, found in by_width.items()],
                "own, white box": [point(width, own.tolist()) for width in (widths[0], widths[-1])],
            },
            axes=("width of the surrogate", "accuracy"),
        )


EXAMPLES = (SurrogateWidth(),)
