"""The check of annotations that runs in tests finds what it is there to find."""

import pytest
import torch
from jaxtyping import Float, TypeCheckError, jaxtyped
from torch import Tensor

import rsc_snn as rs
from rsc_snn.neurons.base import Fire
from tests.typechecker import check


@jaxtyped(typechecker=check)
def rows(
    values: Float[Tensor, "B K"], other: Float[Tensor, "B"], scale: float = 1, *, num_kept: int | None = None
) -> Float[Tensor, "B"]:
    return (scale * values.sum(1) + other)[:num_kept]


def test_right_calls_pass() -> None:
    assert torch.equal(rows(torch.ones(2, 3), torch.ones(2), 2), torch.full((2,), 7.0))


@pytest.mark.parametrize(
    ("values", "other"),
    [
        (torch.ones(2), torch.ones(2)),
        (torch.ones(2, 3), torch.ones(3)),
        (torch.ones(2, 3, dtype=torch.int64), torch.ones(2)),
        (torch.ones(2, 3), None),
    ],
    ids=["axes", "two sizes of one axis", "type of numbers", "no tensor"],
)
def test_wrong_arguments_are_found(values: Tensor, other: Tensor) -> None:
    with pytest.raises(TypeCheckError, match="checking the parameters of"):
        rows(values, other)


def test_wrong_types_of_other_arguments_are_found() -> None:
    with pytest.raises(TypeCheckError, match="checking the parameters of"):
        rows(torch.ones(2, 3), torch.ones(2), "2")  # type: ignore[arg-type]


def test_a_result_of_another_size_than_the_arguments_is_found() -> None:
    with pytest.raises(TypeCheckError, match="checking the return value of"):
        rows(torch.ones(2, 3), torch.ones(2), num_kept=1)


def test_the_library_is_checked() -> None:
    def fire(drive: Tensor) -> Tensor:
        return drive[:1]

    shrinking: Fire = fire
    with pytest.raises(TypeCheckError, match=r"return value of .*LIF\.driven"):
        rs.neurons.LIF().driven(torch.ones(1, 2), shrinking)
    with pytest.raises(TypeCheckError, match=r"parameters of .*\.over_time"):
        rs.neurons.LIF().over_time(torch.ones(2, 2, dtype=torch.int64))
