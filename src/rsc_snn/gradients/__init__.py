"""Gradient paths of attacks. A new path is one new module in this folder."""

from rsc_snn.gradients.base import AbstractGradient
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.registry import discover

__all__ = ["BPTT", "AbstractGradient"]

globals().update(discover(__name__, __path__, AbstractGradient))
