"""How much an audit spends."""

from dataclasses import dataclass

from rsc_snn.errors import UnknownNameError
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Budget(Spec):
    """Counts that the checks share.

    Args:
        name: "full" or "quick".
        steps: Steps of the white-box reference.
        long_steps: Steps of the run that shows whether ``steps`` were enough.
        sweep_steps: Steps of attacks that are repeated for many settings.
        gradient_draws: Draws per gradient, for a random network.
        draws: Draws per gradient that the check of draws compares.
        widths: Widths of the triangular surrogate that the sweep tries, in units of the membrane.
        strengths: Shares of the range [0, 1] that the curve over eps visits besides eps, 2 eps and 4 eps.
        samples: Random points of the ball per image.
        queries: Queries of the black-box attack.
    """

    name: str = "full"
    steps: int = 100
    long_steps: int = 300
    sweep_steps: int = 50
    gradient_draws: int = 20
    draws: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    widths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    strengths: tuple[float, ...] = (0.25, 0.5, 1.0)
    samples: int = 100
    queries: int = 1000


FULL = Budget()
QUICK = Budget(
    name="quick",
    steps=20,
    long_steps=60,
    sweep_steps=20,
    gradient_draws=5,
    draws=(1, 2, 5, 10),
    widths=(0.5, 1.0, 2.0),
    strengths=(0.5, 1.0),
    samples=20,
    queries=200,
)
_BUDGETS = {budget.name: budget for budget in (FULL, QUICK)}


def budget_called(name: str) -> Budget:
    """Return the budget called "full" or "quick"."""
    if name not in _BUDGETS:
        raise UnknownNameError("budget", name, _BUDGETS)
    return _BUDGETS[name]
