"""Neurons: from a current to spikes. A new neuron is one new module in this folder."""

from rsc_snn.neurons.base import AbstractNeuron, AbstractSpikingNeuron
from rsc_snn.neurons.lif import LIF
from rsc_snn.neurons.relu import ReLU
from rsc_snn.neurons.surrogates import AbstractSurrogate, Arctan, Rectangle, Sigmoid, Triangle
from rsc_snn.registry import discover

__all__ = [
    "LIF",
    "AbstractNeuron",
    "AbstractSpikingNeuron",
    "AbstractSurrogate",
    "Arctan",
    "ReLU",
    "Rectangle",
    "Sigmoid",
    "Triangle",
]

globals().update(discover(__name__, __path__, AbstractNeuron))
globals().update(discover(__name__, __path__, AbstractSurrogate))
