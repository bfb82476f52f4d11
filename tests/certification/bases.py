"""Base classifiers whose votes are known in closed form."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rsc_snn.codings import AbstractCoding
from rsc_snn.guarantees import GaussianNoise
from rsc_snn.rng import Randomness, normal_like


@dataclass(frozen=True, kw_only=True)
class Unclamped(AbstractCoding):
    """Gaussian noise without a clamp."""

    std: float = 0.5

    def encode(self, image: Tensor, num_steps: int, *, generator: Randomness = None) -> Tensor:
        noisy = image + self.std * normal_like(image, 1, generator)
        return noisy.expand(num_steps, *image.shape)

    def guarantee(self, num_steps: int, num_values: int) -> GaussianNoise:
        return GaussianNoise(std=self.std)

    @property
    def is_random(self) -> bool:
        return True

    @property
    def is_static(self) -> bool:
        return True


class Steps(nn.Module):
    """Class k where the mean of an image's pixels, times root d, exceeds k of the thresholds.

    That is the image's coordinate along a unit vector, so that its noise has the coding's spread.
    """

    def __init__(self, thresholds: list[float]):
        super().__init__()
        self.thresholds = torch.tensor(thresholds).sort().values

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        flat = current_TBCHW.flatten(2)
        place = flat.sum(-1) / math.sqrt(flat.shape[-1])
        count = (place[..., None] > self.thresholds.to(place)).sum(-1)
        return 2 * nn.functional.one_hot(count, len(self.thresholds) + 1).to(place.dtype)  # no probabilities
