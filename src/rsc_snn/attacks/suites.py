"""Suites: fixed lists of (attack, gradient path) with a name that rows carry."""

from dataclasses import dataclass

from rsc_snn.attacks.base import AbstractAttack
from rsc_snn.attacks.fgsm import FGSM
from rsc_snn.attacks.pgd import PGD
from rsc_snn.errors import InputError
from rsc_snn.gradients import BPTT, AbstractGradient
from rsc_snn.spec import Spec

PAPER = "paper"


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


def paper(eps: float = 8 / 255) -> Suite:
    """The paper's protocol, l_inf: FGSM and PGD (step 0.01, 7 steps) by BPTT, one noise draw per gradient.

    Args:
        eps: Largest perturbation, pixel units; the paper's tables use 8/255. The seven steps of PGD reach
            0.07, about 17.9/255; beyond that its rows carry a flag.
    """
    attacks = (FGSM(eps=eps), PGD(eps=eps))
    return Suite(name=PAPER, entries=tuple(Entry(attack=a, gradient=BPTT()) for a in attacks))


def require_honest_name(suite: Suite) -> None:
    """Raise unless a suite that calls itself "paper" is the paper's."""
    is_paper = bool(suite.entries) and suite == paper(suite.entries[0].attack.eps)
    if suite.name == PAPER and not is_paper:
        raise InputError("a suite of other attacks cannot be called 'paper'; give it another name")
