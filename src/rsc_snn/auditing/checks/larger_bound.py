"""Sign 3: a larger bound does not increase success."""

import itertools
from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, not_applicable, percent
from rsc_snn.auditing.paired import is_surely_above, paired
from rsc_snn.auditing.strengths import AXES, accuracy_over_eps, eps_curve
from rsc_snn.runs.audit_schema import FAIL


@dataclass(frozen=True, kw_only=True)
class LargerBound(AbstractCheck):
    """Looks for strengths between which the accuracy rises, or never falls.

    A larger ball contains the smaller one, so the best attack cannot do worse in it.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "a larger bound helps the attack"

    @property
    def sign(self) -> int | None:
        """The third."""
        return 3

    def measure(self, case: Case) -> Finding:
        """The largest rise of accuracy from a strength to a larger one, on the same images."""
        over_eps = accuracy_over_eps(case)
        pairs = list(itertools.combinations(over_eps, 2))
        rises = [
            paired(over_eps[large].tolist(), over_eps[small].tolist(), num_comparisons=max(1, len(pairs)))
            for small, large in pairs
        ]
        first, last = over_eps[min(over_eps)], over_eps[max(over_eps)]
        if not rises:
            return not_applicable("eps is 1 already")
        worst = max(rises, key=lambda rise: rise.value)
        small, large = pairs[rises.index(worst)]
        is_above = is_surely_above(last.tolist(), case.chance / 2)
        is_flat = bool(first.mean() - last.mean() <= MARGIN and is_above)
        shown = "falls nowhere" if is_flat else f"changes most upwards from eps {small:.3g} to {large:.3g}"
        return Finding(
            verdict=FAIL if is_flat else judged(worst),
            value=worst.value,
            threshold=MARGIN,
            note=f"Accuracy {shown}, by {100 * worst.value:+.1f} points; it is {percent(first.mean())} at "
            f"eps {min(over_eps):.3g} and {percent(last.mean())} at {max(over_eps):.3g}.",
            curve={"PGD": eps_curve(case)},
            axes=AXES,
        )


EXAMPLES = (LargerBound(),)
