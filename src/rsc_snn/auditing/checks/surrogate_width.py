"""Whether another width of the surrogate would have broken the network."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, not_applicable, percent, point
from rsc_snn.auditing.paired import paired
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients import AbstractPath, Memory, Obstacle
from rsc_snn.gradients.sites import find_sites, firing
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
        if not find_sites(case.classifier):
            return not_applicable("the network has no spiking neuron whose surrogate can be replaced")
        eps, steps, widths = case.eps, case.budget.sweep_steps, case.budget.widths
        own = case.ascended(eps, steps)
        by_width = {w: case.ascended(eps, steps, case.averaged(_Widened(width=w))) for w in widths}
        best = min(by_width, key=lambda width: by_width[width].mean())
        difference = paired(own.tolist(), by_width[best].tolist(), num_comparisons=len(widths))
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(own.mean())} by the surrogate of the training and "
            f"{percent(by_width[best].mean())} by a triangle of width {best:g}, the best of {len(widths)}.",
            curve={
                "triangle": [point(width, found.tolist()) for width, found in by_width.items()],
                "own surrogate": [point(width, own.tolist()) for width in (widths[0], widths[-1])],
            },
            axes=("width of the surrogate", "accuracy"),
        )


@dataclass(frozen=True, kw_only=True)
class _Widened(AbstractPath):
    width: float

    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        surrogate = Triangle(width=self.width)
        return firing(classifier, lambda u, place: surrogate(u))

    @property
    def has_statistics(self) -> bool:
        return False

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        return None


EXAMPLES = (SurrogateWidth(),)
