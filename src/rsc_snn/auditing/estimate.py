"""How long an audit will take, from one timed pass."""

from rsc_snn.auditing.case import BATCH_SIZE, Case
from rsc_snn.auditing.paths import single_paths
from rsc_snn.evaluation.estimate import seconds_there_and_back

_NUM_STRENGTHS = 3  # eps, 2 eps and 4 eps


def estimated_seconds(case: Case) -> float:
    """Time one gradient of up to 64 images, and multiply by the passes that the checks will ask for."""
    images = case.images[:BATCH_SIZE]
    seconds = seconds_there_and_back(case.classifier, images)
    return seconds / len(images) * len(case.images) * expected_passes(case)


def expected_passes(case: Case) -> float:
    """Gradients per image that the checks ask for; a pass without a gradient counts as a third of one."""
    budget = case.budget
    others = len(single_paths(case.classifier, case.images)) - 1
    sweeps = (1 + others + (len(budget.widths) if others else 0)) * budget.sweep_steps
    strengths = (_NUM_STRENGTHS - 1 + len(budget.strengths)) * budget.steps
    steps = budget.long_steps + strengths + sweeps + (1 + len(case.sources)) * budget.steps
    if not case.is_random:
        return steps + (budget.queries + budget.samples) / 3
    draws = sum(budget.draws) * budget.sweep_steps
    forward = budget.queries * budget.gradient_draws + budget.samples * 5
    return steps * budget.gradient_draws + draws + forward / 3
