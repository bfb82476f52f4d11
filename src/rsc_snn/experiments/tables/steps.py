"""Beyond the paper: whether PGD needs more steps."""

from rsc_snn.attacks import PGD, Entry
from rsc_snn.experiments.tables.context import CIFAR10, EPS, Asked, Context
from rsc_snn.gradients import BPTT

ROWS = tuple((CIFAR10, "VGG-5", method) for method in ("Direct", "Poisson", "RSC-0.1"))
STEPS = (1, 2, 5, 10, 20, 50, 100)
SUITE = "steps"


def lines(context: Context) -> list[Asked]:
    """Accuracy over the number of PGD steps at 8/255, one draw per gradient (beyond the paper)."""
    entries = tuple(Entry(name=f"PGD-{n}", attack=_attack(n), gradient=BPTT()) for n in STEPS)
    asked = []
    for row in ROWS:
        cells = tuple(context.over(victim, SUITE, entries) for victim in context.networks(*row))
        for entry, count in zip(entries, STEPS, strict=True):
            numbers = {"PGD": tuple(cell.rows(str(entry.name), eps=EPS) for cell in cells)}
            asked.append(context.asked(("steps", *row), numbers, cells, {"steps": count}))
    return asked


def _attack(num_steps: int) -> PGD:
    """Steps of 2/255, or larger where they are too few to cross the ball."""
    return PGD(eps=EPS, step_size=max(2 / 255, 2.5 * EPS / num_steps), num_steps=num_steps)
