"""Sign 2, without gradients: a black box does better than a white box."""

from dataclasses import dataclass

from rsc_snn.attacks import Square
from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, percent, point
from rsc_snn.auditing.paired import paired


@dataclass(frozen=True, kw_only=True)
class Queries(AbstractCheck):
    """Compares the white-box attack with the Square attack, which asks for losses only."""

    @property
    def title(self) -> str:
        """The question."""
        return "the white box beats queries"

    @property
    def sign(self) -> int | None:
        """The second."""
        return 2

    def measure(self, case: Case) -> Finding:
        """Accuracy under the white box minus accuracy under Square, on the same images."""
        queries, white = case.budget.queries, case.strongest
        attack = Square(eps=case.eps, num_steps=queries)
        black = case.score_worst(case.crafted(attack, case.path))
        difference = paired(white.tolist(), black.tolist())
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(white.mean())} under the white box and {percent(black.mean())} under "
            f"Square with {queries} queries; the value is how much better the black box does.",
            curve={"white box": [point(0, white.tolist())], "Square": [point(queries, black.tolist())]},
            axes=("queries (0: white box)", "accuracy"),
        )


EXAMPLES = (Queries(),)
