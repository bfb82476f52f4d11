"""The self-check of kernels sees what is wrong with them."""

import torch
from torch import Tensor

from rsc_snn.neurons.kernels import EagerKernels, Shape
from rsc_snn.neurons.kernels.base import Dynamics
from rsc_snn.neurons.parity import parity

CPU = torch.device("cpu")


class LateThreshold(EagerKernels):
    """Fires a little later than it should."""

    def spikes(
        self, neuron: Dynamics, values: Tensor, scale: Tensor | None, shift: Tensor | None, shape: Shape
    ) -> Tensor:
        return super().spikes(neuron, values - 1e-4, scale, shift, shape)


class Louder(EagerKernels):
    """Its gradients are one part in 100,000 too large."""

    def gradient(
        self,
        neuron: Dynamics,
        values: Tensor,
        scale: Tensor | None,
        shift: Tensor | None,
        grad: Tensor,
        shape: Shape,
    ) -> Tensor:
        return super().gradient(neuron, values, scale, shift, grad, shape) * (1 + 1e-5)


def test_eager_kernels_meet_it() -> None:
    found = parity(EagerKernels(), CPU)
    assert found.is_met
    assert found.num_spikes > 10_000


def test_small_errors_are_seen() -> None:
    assert not parity(LateThreshold(), CPU).is_met
    assert parity(LateThreshold(), CPU).num_different > 0
    assert not parity(Louder(), CPU).is_met
    assert parity(Louder(), CPU).num_different == 0
