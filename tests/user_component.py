"""A coding as a user would write it, outside the package."""

from dataclasses import dataclass

from torch import Tensor

from rsc_snn.codings import AbstractCoding
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class Halved(AbstractCoding):
    def encode(self, image: Tensor, num_steps: int, *, generator: Randomness = None) -> Tensor:
        return (image / 2).expand(num_steps, *image.shape)

    @property
    def is_random(self) -> bool:
        return False

    @property
    def is_static(self) -> bool:
        return True
