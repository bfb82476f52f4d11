"""Searching from several starts."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Found, Victim
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


def search_from_the_edge(
    attack: AbstractAttack,
    climb: Callable[[Tensor, Tensor, Victim], Found],
    victim: Victim,
    images: Float[Tensor, "B C H W"],
    *,
    num_restarts: int,
) -> Found:
    """Climb from random points of norm eps, ``num_restarts`` times; the answer is the best point visited.

    Args:
        attack: Whose ball it is.
        climb: (start, images before the attack, victim) -> what was found from there.
        victim: As the attack got it.
        images: The images before the attack.
        num_restarts: At least 1.
    """

    def search(fresh: Victim, restart: int) -> Found:
        change = attack.norm.random(images, attack.eps, generator=fresh.generator)
        start = attack.project(images + attack.norm.stretched(change, attack.eps), images)
        return climb(start, images, fresh)

    return search_again(search, victim, images, loss=attack.loss, num_restarts=num_restarts, answer="best")
