"""What the device can do at most: bytes that it copies and products that it computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.timing import Side, Work, measured, take_turns
from rsc_snn.runs.files import Row

_COPIED = 2**26  # numbers: far more than any cache holds
_WIDTH, _WIDTH_ON_CUDA = 2048, 8192
_QUICK_COPIED, _QUICK_WIDTH = 2**16, 64


@dataclass(frozen=True, kw_only=True)
class Ceilings(AbstractCase):
    """A copy of a large block and a product of two large matrices in float32."""

    name: ClassVar[str] = "ceilings"
    position: ClassVar[int] = 7

    def measure(self, settings: Settings) -> list[Row]:
        """Return a row for each, with the bytes or operations that its seconds are for."""
        num_copied = _QUICK_COPIED if settings.is_quick else _COPIED
        source = torch.ones(num_copied, device=settings.place)
        target = torch.empty_like(source)
        moved = 2 * source.numel() * source.element_size()  # read and written
        product, flops = _product(settings)
        sides = [
            Side(
                name="copy",
                work=lambda: target.copy_(source),
                is_checked=None,
                facts={"amount": moved, "unit": "bytes"},
            ),
            Side(
                name="matrix product",
                work=product,
                is_checked=None,
                facts={"amount": flops, "unit": "FLOP"},
            ),
        ]
        return measured(self.name, {"dtype": "float32"}, sides, settings)


def flops_per_second(settings: Settings) -> float:
    """Return what the device reaches in a product of matrices in float32: the best round."""
    product, flops = _product(settings)
    (seconds,) = take_turns([product], rounds=settings.rounds, device=settings.place)
    return flops / _best(seconds)


def _best(seconds: Sequence[float]) -> float:
    return max(min(seconds), 1e-9)


def _product(settings: Settings) -> tuple[Work, int]:
    width = _WIDTH_ON_CUDA if settings.place.type == "cuda" else _WIDTH
    width = _QUICK_WIDTH if settings.is_quick else width
    left, right = (torch.rand(width, width, device=settings.place) for _ in range(2))
    return lambda: left @ right, 2 * width**3
