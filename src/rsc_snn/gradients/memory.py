"""What a gradient path remembers between the steps of an attack. It belongs to the attack, not to the model.

Axes: S draws, B images; rows of a pass are S blocks of the same B images.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from torch import Tensor

Statistics = tuple[Tensor, ...]  # each [B, ...]: images never mix
Update = Callable[[Statistics | None, Tensor], Statistics]


@dataclass
class _Gathered:
    total: Tensor
    num_draws: int
    update: Update


class Memory:
    """Statistics per image, at any place; one memory per attack, restart and batch.

    Args:
        num_draws: S, draws of each image that the rows of a pass hold.
    """

    def __init__(self, num_draws: int = 1):
        self.num_draws = num_draws
        self._kept: dict[Hashable, Statistics] = {}
        self._parts: dict[Hashable, Memory] = {}
        self._gathered: dict[Hashable, _Gathered] | None = None
        self._is_settled = False

    def part(self, key: Hashable, *, num_draws: int) -> "Memory":
        """Return the memory of a part of the work, such as some of the images; the same at every step."""
        part = self._parts.setdefault(key, Memory())
        part.num_draws, part._is_settled = num_draws, self._is_settled
        if self._gathered is not None and part._gathered is None:
            part._start_gathering()
        return part

    def updated(self, key: Hashable, values: Tensor, update: Update) -> Statistics:
        """Take the mean of ``values`` over the draws into the statistics of ``key``, once per step.

        Args:
            key: Where the values come from.
            values: [S * B, ...].
            update: (earlier statistics or None, mean over draws [B, ...]) -> new statistics.

        Returns:
            The statistics after the update, [B, ...] each.
        """
        if self._is_settled:
            return self._kept[key]
        total = values.detach().unflatten(0, (self.num_draws, -1)).sum(0)
        if self._gathered is None:
            self._kept[key] = update(self._kept.get(key), total / self.num_draws)
            return self._kept[key]
        seen = self._gathered.setdefault(key, _Gathered(total * 0, 0, update))
        seen.total, seen.num_draws = seen.total + total, seen.num_draws + self.num_draws
        return update(self._kept.get(key), seen.total / seen.num_draws)

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Collect values over several passes of one step, and update at the end of the context.

        Gradients computed meanwhile are of no use.
        """
        self._start_gathering()
        yield
        self._finish_gathering()

    @contextlib.contextmanager
    def settled(self) -> Iterator[None]:
        """Use the statistics as they are: the passes of this step have been gathered."""
        self._settle(True)
        try:
            yield
        finally:
            self._settle(False)

    def _start_gathering(self) -> None:
        self._gathered = {}
        for part in self._parts.values():
            part._start_gathering()

    def _finish_gathering(self) -> None:
        for key, seen in (self._gathered or {}).items():
            self._kept[key] = seen.update(self._kept.get(key), seen.total / seen.num_draws)
        self._gathered = None
        for part in self._parts.values():
            part._finish_gathering()

    def _settle(self, is_settled: bool) -> None:
        self._is_settled = is_settled
        for part in self._parts.values():
            part._settle(is_settled)
