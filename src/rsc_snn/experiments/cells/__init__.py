"""Cells: one piece of work each, known by the content of its specification, so that tables share them."""

from rsc_snn.experiments.cells.attacked import Attacked
from rsc_snn.experiments.cells.audited import Audited
from rsc_snn.experiments.cells.base import AbstractCell, Place
from rsc_snn.experiments.cells.certified import Certified
from rsc_snn.experiments.cells.network import Network
from rsc_snn.experiments.cells.observed import Observed
from rsc_snn.experiments.cells.probe import Probe
from rsc_snn.experiments.cells.theorems import Theorems
from rsc_snn.experiments.cells.trained import Trained
from rsc_snn.experiments.cells.transferred import Transferred
from rsc_snn.experiments.cells.validated import Validated

__all__ = [
    "AbstractCell",
    "Attacked",
    "Audited",
    "Certified",
    "Network",
    "Observed",
    "Place",
    "Probe",
    "Theorems",
    "Trained",
    "Transferred",
    "Validated",
]
