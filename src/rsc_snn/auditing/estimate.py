"""How long an audit will take, from one timed pass."""

import time

from rsc_snn.attacks import CE
from rsc_snn.auditing.case import BATCH_SIZE, Case
from rsc_snn.auditing.paths import single_paths
from rsc_snn.gradients import BPTT, Memory

_NUM_STRENGTHS = 3  # eps, 2 eps and 4 eps


def estimated_seconds(case: Case) -> float:
    """Time one gradient of up to 64 images, and multiply by the passes that the checks will ask for."""
    rows = slice(0, BATCH_SIZE)
    images, labels = case.images[rows], case.labels[rows]
    seconds = []
    for _ in range(2):  # the first call of a process is slow
        started = time.monotonic()
        found = BPTT().slope(
            case.classifier,
            images,
            labels,
            loss=CE(),
            generator=case.noise("probe", rows),
            memory=Memory(),
        )
        found.gradient.sum().item()  # waits for the device
        seconds.append(time.monotonic() - started)
    return min(seconds) / len(images) * len(case.images) * expected_passes(case)


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
