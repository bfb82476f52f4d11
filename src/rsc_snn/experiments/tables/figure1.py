"""Figure 1: accuracy over attack strength, and the area below it."""

from rsc_snn.experiments.tables.context import CIFAR10, EPS, Asked, Context

ROWS = tuple((CIFAR10, "VGG-5", method) for method in ("ANN", "Direct", "Poisson", "RSC-0.1"))
WEAKER = (2 / 255, 4 / 255, 6 / 255)


def lines(context: Context) -> list[Asked]:
    """Accuracy over eps with the area that QTE measures; the paper's figure is a sketch without numbers."""
    return [asked for row in ROWS for asked in over_eps(context, ("figure1", *row))]


def over_eps(
    context: Context, row: tuple[str, str, str, str], conditions: dict[str, float] | None = None
) -> list[Asked]:
    """Return a line for each eps of 2, 4, 6 and 8/255.

    Args:
        context: Budget and seeds.
        row: Place, data set, network and method.
        conditions: What each line says besides its eps.
    """
    victims = context.networks(*row[1:])
    weaker = tuple(context.attacked(victim, WEAKER) for victim in victims)
    strongest = tuple(context.attacked(victim) for victim in victims)
    asked = []
    for eps in (*WEAKER, EPS):
        cells = strongest if eps == EPS else weaker
        numbers = {name: tuple(cell.rows(name, eps=eps) for cell in cells) for name in ("FGSM", "PGD")}
        asked.append(context.asked(row, numbers, cells, {**(conditions or {}), "eps": eps}))
    return asked
