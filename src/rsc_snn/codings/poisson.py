"""Poisson coding: independent spikes whose probability is the pixel."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.checks import require_num_steps
from rsc_snn.codings.base import AbstractCoding
from rsc_snn.guarantees import BernoulliSpikes
from rsc_snn.rng import Randomness, uniform_like


@dataclass(frozen=True, kw_only=True)
class Poisson(AbstractCoding):
    """Fires at each step with probability equal to the pixel [RSC-SNN, Section 1 and Eq. 11].

    The current is 0 or 1, with mean x and variance x (1 - x) at a pixel x. A spike has no derivative;
    the gradient is straight-through: d current / d image is taken as 1, which is the derivative of the
    expected current.
    """

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return spikes in {0, 1}, drawn anew for every step and pixel."""
        require_num_steps(num_steps)
        chance = uniform_like(image, num_steps, generator)
        spikes: Tensor = _StraightThrough.apply(image, chance)  # type: ignore[no-untyped-call]
        return spikes

    def guarantee(self, num_steps: int, num_values: int) -> BernoulliSpikes:
        """Return that of independent spikes, which shrinks with the number of steps."""
        return BernoulliSpikes(num_steps=num_steps, num_values=num_values)

    @property
    def is_random(self) -> bool:
        """True."""
        return True

    @property
    def is_static(self) -> bool:
        """False: every step has its own spikes."""
        return False


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, chance: Tensor) -> Tensor:
        return (chance < image).to(image.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0].sum(0), None


EXAMPLES = (Poisson(),)
