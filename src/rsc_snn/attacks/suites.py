"""Suites: fixed lists of (attack, gradient path) with a name that rows carry."""

from dataclasses import dataclass

from rsc_snn.attacks.base import AbstractAttack
from rsc_snn.attacks.fgsm import FGSM
from rsc_snn.attacks.norms import AbstractNorm, Linf
from rsc_snn.attacks.pgd import PGD
from rsc_snn.gradients import BPTT, AbstractGradient
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Entry(Spec):
    """An attack and the gradient path it uses."""

    attack: AbstractAttack
    gradient: AbstractGradient


@dataclass(frozen=True, kw_only=True)
class Suite(Spec):
    """A list of entries of one eps and norm.

    Args:
        name: What rows and tables call it.
        entries: What is run, in order.
    """

    name: str
    entries: tuple[Entry, ...]


def paper(eps: float = 8 / 255, *, norm: AbstractNorm = Linf()) -> Suite:  # noqa: B008 - frozen
    """The paper's protocol: FGSM and PGD (step 0.01, 7 steps) by BPTT, one noise draw per gradient.

    Args:
        eps: Largest perturbation, pixel units; the paper's tables use 8/255.
        norm: The paper uses l_inf.
    """
    attacks = (FGSM(eps=eps, norm=norm), PGD(eps=eps, norm=norm))
    return Suite(name="paper", entries=tuple(Entry(attack=a, gradient=BPTT()) for a in attacks))
