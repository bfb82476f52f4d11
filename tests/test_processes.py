"""A group of one does nothing; a group of two agrees."""

from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from rsc_snn.errors import InputError, RangeError
from rsc_snn.processes import Group, current_group, joined


def test_a_process_alone_is_a_group_of_one() -> None:
    group = current_group()
    assert group == Group(rank=0, size=1, local_rank=0)
    assert group.leads
    assert group.agree(3, 1) == [3, 1]
    assert group.total(0.5, 2) == [0.5, 2]
    assert group.led(lambda: "done") == "done"
    assert group.gathered("item") == ["item"]
    assert group.node_first(lambda: 7) == 7
    with joined(torch.device("cpu")) as alone:
        assert alone == group


def test_errors_of_a_group_of_one_are_as_they_were() -> None:
    def fail() -> None:
        raise RangeError("too large")

    with pytest.raises(RangeError, match="too large"):
        Group().led(fail)


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    group = current_group()
    assert (group.rank, group.size, group.leads) == (rank, 2, rank == 0)
    assert group.agree(rank, 5 - rank) == [1, 5]
    assert group.total(0.25, rank) == [0.5, 1]
    assert group.led(lambda: {"asked": rank, "tensor": torch.ones(2)})["asked"] == 0
    assert group.gathered(f"from {rank}") == (["from 0", "from 1"] if rank == 0 else [])
    seen = Path(folder, "first")
    group_with_place = Group(rank, 2, rank)

    def visit() -> bool:
        was_there = seen.exists()
        seen.touch()
        return was_there

    assert group_with_place.node_first(visit) is (rank == 1), "the first process of a machine goes first"

    def fail() -> None:
        raise RangeError("the leader could not")

    with pytest.raises(InputError, match="the leader could not"):
        group.led(fail)
    distributed.destroy_process_group()


def test_a_group_of_two_agrees(tmp_path: Path) -> None:
    spawn(work, args=(str(tmp_path),), nprocs=2)
