"""The Square attack: random search without gradients. Axes: R images still searched, N random numbers."""

import bisect
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack, Cost, Found, Victim
from rsc_snn.attacks.best import Best
from rsc_snn.attacks.losses import AbstractLoss, Margin
from rsc_snn.attacks.restarts import num_levels, search_again
from rsc_snn.attacks.square_moves import MOVES
from rsc_snn.checks import require_counts
from rsc_snn.errors import InputError, RangeError
from rsc_snn.rng import Randomness, uniform_like

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of the share, in queries out of 10000
_CHUNK = 100
_HELD = 50


@dataclass(frozen=True, kw_only=True)
class Square(AbstractAttack):
    """Changes random squares and keeps what raises the loss [Andriushchenko et al., arXiv:1912.00049].

    It asks for losses only, so that vanishing or misleading gradients do not stop it. Every image has squares
    of its own. Where answers do not vary, the search ends for an image once it is wrong. A random network is
    asked for the mean over the draws of the gradient path; the draws are the same for 50 queries, of which
    the last asks the best point again over new ones. With other draws for every query the luckiest of them
    would soon stand as a loss that no change can beat.

    Args:
        loss: What is raised; the margin of the logits, as in the paper.
        num_steps: Points whose loss is asked for, >= 1, the start included.
        p_init: Share of the pixels that the first squares cover, in (0, 1]; it is halved nine times, at the
            paper's queries in proportion to ``num_steps``.
        num_restarts: Searches, >= 1.
    """

    loss: AbstractLoss = field(default_factory=Margin)
    num_steps: int = 1000
    p_init: float = 0.8
    num_restarts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_counts(num_steps=self.num_steps, num_restarts=self.num_restarts)
        if not (0 < self.p_init <= 1):
            raise RangeError(f"p_init must be in (0, 1], such as 0.8, got {self.p_init:g}")
        if self.norm.name not in MOVES:
            raise InputError(f"norm of Square must be Linf() or L2(), got {self.norm!r}; APGD takes any")

    @property
    def reach(self) -> float:
        """It starts at eps."""
        return self.eps

    @property
    def cost(self) -> Cost:
        """A loss for each point."""
        return Cost(
            levels=self.num_restarts * self.num_steps + num_levels(self.num_restarts),
            searches=self.num_restarts,
        )

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the worst point tried; the other is the start."""
        query = functools.partial(self._query, images)
        return search_again(
            query, victim, images, loss=self.loss, num_restarts=self.num_restarts, answer="best"
        )

    def _query(self, images: Tensor, victim: Victim, restart: int) -> Found:
        moves, varies = MOVES[self.norm.name](images, eps=self.eps), victim.varies(images)
        start = self.project(images + moves.start(victim.generator), images)
        best, held = Best(images, wrong_first=not varies), victim.held()
        best.see(start, held.level(start))
        numbers = _numbers(images, moves.num_numbers, self.num_steps - 1, victim.generator)
        for step, numbers_BN in enumerate(numbers):
            if varies and step % _HELD == _HELD - 1:
                held = victim.held()
                best.reconsider(held.level(best.points))
                continue
            rows = None if varies else (best.wrong < 0.5).nonzero()[:, 0]
            if rows is not None and not len(rows):
                continue  # the numbers are drawn all the same: those of an image depend on no other
            there = slice(None) if rows is None else rows
            perturbation = best.points[there] - images[there]
            side = moves.side(self._share(step))
            tried = moves.changed(perturbation, side=side, numbers=numbers_BN[there])
            points = self.project(images[there] + tried, images[there])
            best.see(points, held.level(points, rows=rows), rows=rows)
        return Found(best.points, (("start", start),))

    def _share(self, step: int) -> float:
        """Share of the pixels that a square covers after so many changes."""
        query = int(step / self.num_steps * 10_000)
        return self.p_init * 0.5 ** bisect.bisect_left(_HALVINGS, query)


def _numbers(images: Tensor, count: int, num_steps: int, generator: Randomness) -> Iterator[Tensor]:
    """Uniform numbers [B, count] of one step after another; a draw gives those of many steps."""
    shape = images.new_empty(len(images), count)
    for first in range(0, num_steps, _CHUNK):
        yield from uniform_like(shape, min(_CHUNK, num_steps - first), generator)


EXAMPLES = (Square(num_steps=20), Square(num_steps=10, num_restarts=2))
