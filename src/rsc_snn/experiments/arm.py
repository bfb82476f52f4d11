"""An arm of an experiment: a method of the paper's tables, or a variant of one."""

from dataclasses import dataclass

METHODS = {
    "ANN": "ann",
    "Direct": "direct",
    "Vanilla": "direct",
    "Poisson": "poisson",
    "RSC-0.01": "rsc0.01",
    "RSC-0.1": "rsc0.1",
    "RSC-0.5": "rsc0.5",
    "RSC-0.1 + Adv": "rsc0.1-adv",
    "RSC-0.1 + E-RSCT": "ersct",
    "SNN-RAT": "rat",
}


@dataclass(frozen=True)
class Arm:
    """A network beside others that differ from it in what an experiment varies.

    Attributes:
        label: What tables call it; without a comma, so that ``--rows`` can name it.
        method: METHOD of a recipe's name.
        settings: ``--set`` words that are applied after those of the budget.
    """

    label: str
    method: str
    settings: tuple[str, ...] = ()


Method = str | Arm


def as_arm(method: Method) -> Arm:
    """Return the arm of a row of the paper's tables; an arm is returned as it is."""
    return method if isinstance(method, Arm) else Arm(method, METHODS[method])
