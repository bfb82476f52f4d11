"""Objectives of training. A new objective is one new module in this folder."""

from rsc_snn.objectives.adversarial import Adversarial
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.objectives.consistency import Consistency
from rsc_snn.objectives.cross_entropy import CrossEntropy
from rsc_snn.objectives.ersct import ERSCT
from rsc_snn.objectives.smooth_adv import SmoothAdv
from rsc_snn.objectives.snn_rat import SNNRAT
from rsc_snn.objectives.teachers import AbstractTeacher, GivenTeacher, SavedTeacher
from rsc_snn.objectives.tet import TET
from rsc_snn.objectives.trades import TRADES
from rsc_snn.registry import discover

__all__ = [
    "ERSCT",
    "SNNRAT",
    "TET",
    "TRADES",
    "AbstractObjective",
    "AbstractTeacher",
    "Adversarial",
    "Consistency",
    "CrossEntropy",
    "GivenTeacher",
    "SavedTeacher",
    "SmoothAdv",
]

globals().update(discover(__name__, __path__, AbstractObjective))
