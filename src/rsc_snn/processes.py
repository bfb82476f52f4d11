"""The processes that work on one run: how they find each other, who writes, and how they agree.

A run that is started alone is a group of one, for which everything here does nothing. Under torchrun
every process runs the same program; the first one, the leader, alone reads and writes the run folder.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed

from rsc_snn.errors import InputError

T = TypeVar("T")
_PATIENCE = timedelta(hours=6)  # the others wait while the leader decodes a data set for the first time


@dataclass(frozen=True)
class Group:
    """Rank and size of the processes that work together.

    Args:
        rank: Number of this process, 0 ... size - 1.
        size: How many there are.
        local_rank: Number of this process on its machine.
        local_size: How many there are on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def agree(self, *numbers: int) -> list[int]:
        """Return the largest of each number over all processes."""
        if self.size == 1:
            return list(numbers)
        largest = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(largest, op=distributed.ReduceOp.MAX)
        return [int(number) for number in largest]

    def total(self, *numbers: float) -> list[float]:
        """Return the sum of each number over all processes, in float64."""
        if self.size == 1:
            return list(numbers)
        sums = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(sums)
        return [float(number) for number in sums]

    def led(self, work: Callable[[], T]) -> T:
        """Let the leader do ``work`` and give its result to all; what it raises is raised by all."""
        if self.size == 1:
            return work()
        answer: list[object] = [None, None]
        failure: Exception | None = None
        if self.leads:
            try:
                answer = [work(), None]
            except Exception as err:  # told to the others, then raised as it is
                failure, answer = err, [None, str(err)]
        distributed.broadcast_object_list(answer, src=0)
        if failure is not None:
            raise failure
        if answer[1] is not None:
            raise InputError(str(answer[1]))
        return answer[0]  # type: ignore[return-value]

    def gathered(self, item: T) -> list[T]:
        """Return every process's ``item`` to the leader, in the order of ranks; nothing to the others."""
        if self.size == 1:
            return [item]
        items: list[T | None] = [None] * self.size
        distributed.gather_object(item, items if self.leads else None)
        return items if self.leads else []  # type: ignore[return-value]

    def node_first(self, work: Callable[[], T]) -> T:
        """Do ``work`` in the first process of each machine, and then, with its files there, in the others.

        Raises:
            InputError: it failed anywhere; every process raises.
        """
        if self.size == 1:
            return work()
        results: list[T] = []
        for is_turn in (self.local_rank == 0, self.local_rank != 0):
            self._everywhere(lambda: results.append(work()), is_turn=is_turn)
        return results[0]

    def _everywhere(self, work: Callable[[], None], *, is_turn: bool) -> None:
        """Do ``work`` in every process whose turn it is; if it fails in one, all raise."""
        failure: Exception | None = None
        try:
            if is_turn:
                work()
        except Exception as err:  # told to the others, then raised as it is
            failure = err
        messages: list[str | None] = [None] * self.size
        distributed.all_gather_object(messages, None if failure is None else str(failure))
        if failure is not None:
            raise failure
        if told := [message for message in messages if message is not None]:
            raise InputError(told[0])


def current_group() -> Group:
    """Return the group that this process has joined; a group of one if it is alone."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Group()
    rank, size = distributed.get_rank(), distributed.get_world_size()
    local_rank = int(os.environ.get("LOCAL_RANK", rank))
    return Group(rank, size, local_rank, int(os.environ.get("LOCAL_WORLD_SIZE", size)))


def is_started_together() -> bool:
    """Whether torchrun (or whoever sets its variables) started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def local_rank_of_start() -> int:
    """Number of this process on its machine, as torchrun told it; 0 for a process alone."""
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Join the processes that torchrun started, for the length of the context.

    Tensors of the CPU travel by gloo, those of a CUDA device by nccl.
    """
    if not is_started_together() or distributed.is_initialized():
        yield current_group()
        return
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield current_group()
    finally:
        distributed.destroy_process_group()
