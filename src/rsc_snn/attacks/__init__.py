"""Attacks: search rules, norms and losses. A new attack is one new module in this folder."""

from rsc_snn.attacks.apgd import APGD
from rsc_snn.attacks.base import AbstractAttack, Attempt, Cost, Found, Victim
from rsc_snn.attacks.fgsm import FGSM
from rsc_snn.attacks.gaussian_noise import GaussianNoise
from rsc_snn.attacks.losses import CE, DLR, AbstractLoss, Margin, TargetedDLR
from rsc_snn.attacks.norms import L2, AbstractNorm, Linf
from rsc_snn.attacks.pgd import PGD
from rsc_snn.attacks.sapgd import SAPGD
from rsc_snn.attacks.sources import AbstractSource, GivenSource, SavedSource
from rsc_snn.attacks.square import Square
from rsc_snn.attacks.suites import (
    FULL,
    QUICK,
    RELIABLE,
    Entry,
    Suite,
    has_open_width,
    paper,
    reliable,
    require_honest_name,
    with_width,
)
from rsc_snn.attacks.transfer import Transfer
from rsc_snn.attacks.tuning import Tuned, tune_width
from rsc_snn.attacks.uniform_noise import UniformNoise
from rsc_snn.registry import discover

__all__ = [
    "APGD",
    "CE",
    "DLR",
    "FGSM",
    "FULL",
    "L2",
    "PGD",
    "QUICK",
    "RELIABLE",
    "SAPGD",
    "AbstractAttack",
    "AbstractLoss",
    "AbstractNorm",
    "AbstractSource",
    "Attempt",
    "Cost",
    "Entry",
    "Found",
    "GaussianNoise",
    "GivenSource",
    "Linf",
    "Margin",
    "SavedSource",
    "Square",
    "Suite",
    "TargetedDLR",
    "Transfer",
    "Tuned",
    "UniformNoise",
    "Victim",
    "has_open_width",
    "paper",
    "reliable",
    "require_honest_name",
    "tune_width",
    "with_width",
]

globals().update(discover(__name__, __path__, AbstractAttack))
