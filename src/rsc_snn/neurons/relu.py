"""The activation of the non-spiking twin."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.neurons.base import AbstractNeuron


@dataclass(frozen=True, kw_only=True)
class ReLU(AbstractNeuron):
    """max(0, current) at each step: the network becomes its ANN twin, which runs at T=1."""

    def over_time(self, current: Float[Tensor, "T *N"]) -> Float[Tensor, "T *N"]:
        """Return the rectified current; steps do not influence each other."""
        return torch.relu(current)

    @property
    def is_spiking(self) -> bool:
        """False."""
        return False

    @property
    def weight_gain(self) -> float:
        """The square root of 2 [He et al., arXiv:1502.01852]."""
        return math.sqrt(2.0)

    @property
    def drive_scale(self) -> float:
        """1: there is no threshold."""
        return 1.0


EXAMPLES = (ReLU(),)
