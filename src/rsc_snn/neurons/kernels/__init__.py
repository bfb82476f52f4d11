"""Kernels: the two halves of a LIF layer's pass, computed by torch's operations or by compiled loops."""

from rsc_snn.neurons.kernels.base import AbstractKernels, Shape
from rsc_snn.neurons.kernels.compiled import CompiledKernels
from rsc_snn.neurons.kernels.eager import EagerKernels

__all__ = ["AbstractKernels", "CompiledKernels", "EagerKernels", "Shape"]
