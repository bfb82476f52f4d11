"""Searching from several starts."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import Found, Victim
from rsc_snn.attacks.best import Best
from rsc_snn.attacks.losses import AbstractLoss

Search = Callable[[Victim, int], Found]


def search_again(
    search: Search,
    victim: Victim,
    images: Float[Tensor, "B C H W"],
    *,
    loss: AbstractLoss,
    num_restarts: int,
    answer: str,
) -> Found:
    """Search ``num_restarts`` times; of several answers, each image keeps the worst on the same fresh noise.

    The answers are compared by the untargeted ``loss``; where the classifier's answers do not vary, a wrong
    one goes first. Every restart has statistics of the gradient path, and targets, of its own.

    Args:
        search: (victim, number of the restart from 0 on) -> what one restart found.
        victim: As the attack got it.
        images: The images before the attack.
        loss: The attack's.
        num_restarts: At least 1.
        answer: What the search's answer is called among the other candidates: "last" or "best".
    """
    found = [
        search(victim.restarted(loss, images, restart=restart), restart) for restart in range(num_restarts)
    ]
    if num_restarts == 1:
        return found[0]
    best, held = Best(images, wrong_first=not victim.varies(images)), victim.held()
    others: list[tuple[str, Tensor]] = []
    for number, one in enumerate(found, start=1):
        best.see(one.images, held.level(one.images))
        suffix = f" {number}" if number > 1 else ""
        others += [(name + suffix, points) for name, points in ((answer, one.images), *one.others)]
    return Found(best.points, tuple(others))


def num_levels(num_restarts: int) -> int:
    """Return how many losses without a gradient the choice between restarts takes."""
    return num_restarts if num_restarts > 1 else 0
