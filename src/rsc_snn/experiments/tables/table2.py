"""Table 2: expectation over transformation."""

from rsc_snn.attacks import PGD, Entry
from rsc_snn.experiments.tables.context import CIFAR10, CIFAR100, EPS, Asked, Context
from rsc_snn.gradients import BPTT, Expectation

ROWS = ((CIFAR10, "VGG-5", "RSC-0.1"), (CIFAR100, "VGG-11", "RSC-0.1"))
DRAWS = (1, 2, 5, 10, 20, 50)
SUITE = "eot"
_ATTACK = PGD(eps=EPS, step_size=2 / 255, num_steps=10, random_start=True)


def lines(context: Context) -> list[Asked]:
    """EOT-PGD with K = 1, 2, 5, 10, 20, 50 draws: 8/255, step 2/255, 10 steps, random start.

    The paper states neither K nor data set nor settings; these are the defaults of the public implementation
    whose name it uses, but for its K of 2.
    """
    entries = tuple(
        Entry(name=f"EOT-PGD K={count}", attack=_ATTACK, gradient=_path(count)) for count in DRAWS
    )
    asked = []
    for row in ROWS:
        cells = tuple(context.over(victim, SUITE, entries) for victim in context.networks(*row))
        for entry, count in zip(entries, DRAWS, strict=True):
            numbers = {"EOT-PGD": tuple(cell.rows(str(entry.name), eps=EPS) for cell in cells)}
            asked.append(context.asked(("table2", *row), numbers, cells, {"draws": count}))
    return asked


def _path(count: int) -> Expectation:
    return Expectation(of=BPTT(), num_draws=count)
