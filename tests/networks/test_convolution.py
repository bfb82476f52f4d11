"""A kernel of one pixel sees only the pixels that its stride keeps, and computes what torch's does."""

from typing import Any

import pytest
import torch
from torch import nn

from rsc_snn.networks.convolution import Convolution, convolve
from tests.helpers import seeded


@pytest.mark.parametrize("stride", [1, 2, 3, (1, 2)])
@pytest.mark.parametrize(("kernel_size", "padding"), [(1, 0), (1, 1), (3, 1)])
@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("keeps_less", [False, True])
def test_values_and_gradients_are_those_of_the_plain_convolution(
    stride: int | tuple[int, int], kernel_size: int, padding: int, side: int, keeps_less: bool
) -> None:
    options = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "bias": False}
    ours = Convolution(3, 4, dtype=torch.float64, **options)  # type: ignore[arg-type]
    plain = nn.Conv2d(3, 4, dtype=torch.float64, **options)  # type: ignore[arg-type]
    plain.load_state_dict(ours.state_dict())
    found = []
    for conv in (ours, plain):
        values = torch.rand(2, 3, side, side, generator=seeded(0), dtype=torch.float64).requires_grad_()
        answer = convolve(conv, values, are_binary=False) if conv is ours and keeps_less else conv(values)
        weights = torch.rand(answer.shape, generator=seeded(1), dtype=torch.float64)
        slopes = torch.autograd.grad((answer * weights).sum(), (values, conv.weight))
        found.append((answer, *slopes))
    for ours_, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours_, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_groups_dilation_and_the_way_of_padding_are_kept(kernel_size: int) -> None:
    options: dict[str, Any] = {"kernel_size": kernel_size, "stride": 2, "dilation": 2, "groups": 2}
    options |= {"padding": 2, "padding_mode": "reflect"} if kernel_size > 1 else {}
    ours = Convolution(4, 4, dtype=torch.float64, **options)
    plain = nn.Conv2d(4, 4, dtype=torch.float64, **options)
    plain.load_state_dict(ours.state_dict())
    values = torch.rand(2, 4, 9, 9, generator=seeded(0), dtype=torch.float64)
    torch.testing.assert_close(ours(values), plain(values), rtol=1e-12, atol=1e-12)
