"""How much each choice of the attack takes, on the same network."""

from rsc_snn.attacks import APGD, PGD, Entry
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import EPS, Asked, Context
from rsc_snn.gradients import BPTT, Expectation, StraightThroughClamp, TimeAverage

ROWS = tuple((*SUBJECT, method) for method in ("Direct", "Poisson", "RSC-0.01", "RSC-0.1"))
SUITE = "protocol"
_PAPER = PGD(eps=EPS, step_size=0.01, num_steps=7)
_RANDOM = PGD(eps=EPS, step_size=0.01, num_steps=7, random_start=True)
_LONG = PGD(eps=EPS, step_size=2 / 255, num_steps=20)
_DRAWS = 10
ENTRIES = (
    Entry(name="PGD", attack=_PAPER, gradient=BPTT()),
    Entry(name="random start", attack=_RANDOM, gradient=BPTT()),
    Entry(name="clamp passed", attack=_PAPER, gradient=StraightThroughClamp()),
    Entry(name="time average", attack=_PAPER, gradient=TimeAverage()),
    Entry(name="20 steps", attack=_LONG, gradient=BPTT()),
    Entry(name="10 draws", attack=_PAPER, gradient=Expectation(of=BPTT(), num_draws=_DRAWS)),
    Entry(name="20 steps of 10 draws", attack=_LONG, gradient=Expectation(of=BPTT(), num_draws=_DRAWS)),
    Entry(
        name="APGD, 20 steps of 10 draws",
        attack=APGD(eps=EPS, num_steps=20),
        gradient=Expectation(of=BPTT(), num_draws=_DRAWS),
    ),
)


def lines(context: Context) -> list[Asked]:
    """The paper's PGD, and the same with one choice changed at a time, at 8/255."""
    asked = []
    for row in ROWS:
        cells = tuple(context.over(victim, SUITE, ENTRIES) for victim in context.networks(*row))
        numbers = {
            str(entry.name): tuple(cell.rows(str(entry.name), eps=EPS) for cell in cells) for entry in ENTRIES
        }
        asked.append(context.asked(("protocol", *row), numbers, cells))
    return asked
