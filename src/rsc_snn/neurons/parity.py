"""Whether kernels compute what autograd computes, on this machine."""

from dataclasses import dataclass

import torch

from rsc_snn.neurons.kernels import AbstractKernels, Shape
from rsc_snn.neurons.layer import Layer
from rsc_snn.neurons.lif import LIF
from rsc_snn.rng import derived_generator

_SHAPE = (8, 20_000)
_NEURONS = (LIF(), LIF(decay=0.9, threshold=0.7, detach_reset=True))


@dataclass(frozen=True)
class Parity:
    """How far kernels are from the plain neuron, in float32.

    Attributes:
        num_spikes: Spikes of the plain neuron.
        num_different: Neurons and steps that fire in one and not in the other.
        gradient_error: Largest difference of a gradient, in units of the largest gradient.
    """

    num_spikes: int
    num_different: int
    gradient_error: float

    @property
    def is_met(self) -> bool:
        """Whether spikes are equal, and gradients within 1e-6."""
        return self.num_different == 0 and self.gradient_error <= 1e-6


def parity(kernels: AbstractKernels, device: torch.device) -> Parity:
    """Compare kernels with ``LIF.driven`` on random currents, of two neurons over 8 steps."""
    generator = derived_generator(0, "parity")
    num_spikes, num_different, error = 0, 0, 0.0
    for neuron in _NEURONS:
        current, weights = (torch.randn(_SHAPE, generator=generator).to(device) for _ in range(2))
        current.requires_grad_()
        ours = Layer(neuron, kernels, Shape(len(current))).spikes(current)
        plain = neuron.driven(current, neuron.surrogate)
        found, expected = (torch.autograd.grad((s * weights).sum(), current)[0] for s in (ours, plain))
        num_spikes += int(plain.detach().sum())
        num_different += int((ours != plain).sum())
        error = max(error, float((found - expected).abs().max() / expected.abs().max()))
    return Parity(num_spikes, num_different, error)
