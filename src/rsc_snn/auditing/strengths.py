"""Accuracy over the strength of the attack, which several checks read."""

from rsc_snn.auditing.case import Accuracies, Case
from rsc_snn.auditing.finding import Point, point

AXES = ("eps (l_inf, pixel units)", "accuracy")


def accuracy_over_eps(case: Case) -> dict[float, Accuracies]:
    """Return strength -> accuracy of each image under the reference attack, from eps up to 1."""
    multiples = (case.eps, 2 * case.eps, 4 * case.eps)
    strengths = {eps for eps in (*multiples, *case.budget.strengths) if case.eps <= eps <= 1}
    steps = case.budget.steps
    return {eps: case.ascended(eps, steps) for eps in sorted(strengths)}


def eps_curve(case: Case) -> list[Point]:
    """The same as a curve that begins at the clean images."""
    over_eps = {0.0: case.clean, **accuracy_over_eps(case)}
    return [point(eps, accuracies.tolist()) for eps, accuracies in over_eps.items()]
