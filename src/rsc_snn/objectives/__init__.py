"""Objectives of training. A new objective is one new module in this folder."""

from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.objectives.cross_entropy import CrossEntropy
from rsc_snn.registry import discover

__all__ = ["AbstractObjective", "CrossEntropy"]

globals().update(discover(__name__, __path__, AbstractObjective))
