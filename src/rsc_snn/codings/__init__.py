"""Codings: from an image to a current over time. A new coding is one new module in this folder."""

from rsc_snn.codings.base import AbstractCoding
from rsc_snn.codings.direct import Direct
from rsc_snn.codings.poisson import Poisson
from rsc_snn.codings.randomized_smoothing import RandomizedSmoothing
from rsc_snn.registry import discover

__all__ = ["AbstractCoding", "Direct", "Poisson", "RandomizedSmoothing"]

globals().update(discover(__name__, __path__, AbstractCoding))
