"""Gradient paths: how an attacker differentiates a spiking network. A new one is one new module."""

from rsc_snn.gradients.base import AbstractGradient, AbstractPath, Level, Loss, Obstacle, Slope
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.gradients.expectation import Expectation
from rsc_snn.gradients.memory import Memory
from rsc_snn.registry import discover

__all__ = [
    "BPTT",
    "AbstractGradient",
    "AbstractPath",
    "Expectation",
    "Level",
    "Loss",
    "Memory",
    "Obstacle",
    "Slope",
]

globals().update(discover(__name__, __path__, AbstractGradient))
