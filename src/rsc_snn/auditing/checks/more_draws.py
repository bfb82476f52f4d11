"""How many draws of the noise a gradient needs."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Accuracies, Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, not_applicable, percent, point
from rsc_snn.auditing.paired import paired
from rsc_snn.gradients import Expectation


@dataclass(frozen=True, kw_only=True)
class MoreDraws(AbstractCheck):
    """Attacks a random network by the mean gradient of K draws, until more draws change nothing.

    The question of the expectation-over-transformation attack [RSC-SNN, Table 2].
    """

    @property
    def title(self) -> str:
        """The question."""
        return "more draws change nothing"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Accuracy at the second largest K minus accuracy at the largest, on the same images."""
        if not case.is_random:
            return not_applicable("the network has no noise")
        eps, steps = case.eps, case.budget.sweep_steps
        by_draws = {k: case.ascended(eps, steps, Expectation(num_draws=k)) for k in case.budget.draws}
        *_, before, last = by_draws
        difference = paired(by_draws[before].tolist(), by_draws[last].tolist())
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(by_draws[1].mean())} with one draw per gradient, "
            f"{percent(by_draws[before].mean())} with {before} and {percent(by_draws[last].mean())} with "
            f"{last}; it is flat from {_flat_from(by_draws)} on.",
            curve={"PGD": [point(k, found.tolist()) for k, found in by_draws.items()]},
            axes=("draws per gradient", "accuracy"),
        )


def _flat_from(by_draws: dict[int, Accuracies]) -> int:
    """The smallest number of draws from which on no accuracy is more than the margin above the last."""
    draws = list(by_draws)
    end, flat = by_draws[draws[-1]].mean(), draws[-1]
    for k in reversed(draws):
        if by_draws[k].mean() - end > MARGIN:
            break
        flat = k
    return flat


EXAMPLES = (MoreDraws(),)
