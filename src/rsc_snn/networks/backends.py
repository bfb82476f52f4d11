"""How the neurons of a network are computed; what they compute is the same."""

from torch import nn

from rsc_snn.errors import UnknownNameError
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons.kernels import AbstractKernels, CompiledKernels, EagerKernels

BACKENDS: dict[str, AbstractKernels | None] = {
    "plain": None,
    "eager": EagerKernels(),
    "compiled": CompiledKernels(),
}


def set_backend(module: nn.Module, backend: str) -> None:
    """Choose how all LIF neurons inside a module are computed, from now on.

    Args:
        module: A network of this library, or a classifier with one; neurons of other kinds stay as they are.
        backend: "plain" leaves every operation and step to autograd: the reference, and the only one that
            can differentiate the gradient of a weight. "eager", which networks start with, keeps of a layer
            nothing but the current before its normalisation, and passes a current that is the same at every
            step once through the first convolution. "compiled" is the same in compiled loops, which take
            seconds to minutes to compile where torch has not compiled them before.

    Raises:
        UnknownNameError: there is no such backend.
    """
    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS)
    for layer in module.modules():
        if isinstance(layer, Activation):
            layer.kernels = BACKENDS[backend]


def backend_of(module: nn.Module) -> str | None:
    """Return the backend of the first neuron inside a module; None where there is none."""
    names = {type(kernels): name for name, kernels in BACKENDS.items()}
    layers = (layer for layer in module.modules() if isinstance(layer, Activation))
    return next((names[type(layer.kernels)] for layer in layers), None)
