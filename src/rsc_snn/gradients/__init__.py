"""Gradient paths: how an attacker differentiates a spiking network. A new one is one new module."""

from rsc_snn.gradients.adaptive_sharpness import AdaptiveSharpness
from rsc_snn.gradients.base import (
    AbstractGradient,
    AbstractPath,
    AbstractWrapper,
    Loss,
    Obstacle,
)
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.gradients.ensemble import Ensemble
from rsc_snn.gradients.expectation import Expectation
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.potential_dependent import PotentialDependent
from rsc_snn.gradients.rate_gradient import RateGradient
from rsc_snn.gradients.rate_straight_through import RateStraightThrough
from rsc_snn.gradients.slopes import Level, Slope
from rsc_snn.gradients.straight_through_clamp import StraightThroughClamp
from rsc_snn.gradients.surrogate import Surrogate
from rsc_snn.gradients.time_average import TimeAverage
from rsc_snn.registry import discover

__all__ = [
    "BPTT",
    "AbstractGradient",
    "AbstractPath",
    "AbstractWrapper",
    "AdaptiveSharpness",
    "Ensemble",
    "Expectation",
    "Level",
    "Loss",
    "Memory",
    "Obstacle",
    "PotentialDependent",
    "RateGradient",
    "RateStraightThrough",
    "Slope",
    "StraightThroughClamp",
    "Surrogate",
    "TimeAverage",
]

globals().update(discover(__name__, __path__, AbstractGradient))
