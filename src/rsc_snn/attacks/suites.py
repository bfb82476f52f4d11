"""Suites: fixed lists of (attack, gradient path) with a name that rows carry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from rsc_snn.attacks.apgd import APGD
from rsc_snn.attacks.base import AbstractAttack
from rsc_snn.attacks.fgsm import FGSM
from rsc_snn.attacks.losses import DLR
from rsc_snn.attacks.norms import AbstractNorm, Linf
from rsc_snn.attacks.pgd import PGD
from rsc_snn.attacks.sapgd import SAPGD
from rsc_snn.attacks.sources import AbstractSource
from rsc_snn.attacks.square import Square
from rsc_snn.attacks.transfer import Transfer
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.gradients import (
    BPTT,
    AbstractGradient,
    AdaptiveSharpness,
    Expectation,
    StraightThroughClamp,
    TimeAverage,
)
from rsc_snn.spec import Spec

PAPER, RELIABLE = "paper", "reliable"
FULL, QUICK = "full", "quick"


@dataclass(frozen=True, kw_only=True)
class Entry(Spec):
    """An attack and the gradient path it uses.

    Args:
        attack: The search.
        gradient: How the network is differentiated.
        name: What rows call it; None makes a name of attack and path.
    """

    attack: AbstractAttack
    gradient: AbstractGradient
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Suite(Spec):
    """A list of entries of one eps and norm.

    Args:
        name: What rows and tables call it.
        entries: What is run, in order.
        budget: "full", or "quick" if it is a shortened form of the list.
        scores_winner_only: Whether entries are only ranked, on held-out draws, and nothing but the winner of
            each image is scored; an image that is lost is then not attacked again.
    """

    name: str
    entries: tuple[Entry, ...]
    budget: str = FULL
    scores_winner_only: bool = False


@dataclass(frozen=True)
class _Budget:
    num_steps: int
    num_draws: int
    num_queries: int


_BUDGETS = {FULL: _Budget(100, 20, 1000), QUICK: _Budget(20, 5, 200)}


def paper(eps: float = 8 / 255) -> Suite:
    """The paper's protocol, l_inf: FGSM and PGD (step 0.01, 7 steps) by BPTT, one noise draw per gradient.

    Args:
        eps: Largest perturbation, pixel units; the paper's tables use 8/255. The seven steps of PGD reach
            0.07, about 17.9/255; beyond that its rows carry a flag.
    """
    attacks = (FGSM(eps=eps), PGD(eps=eps))
    return Suite(name=PAPER, entries=tuple(Entry(attack=a, gradient=BPTT()) for a in attacks))


def reliable(
    eps: float = 8 / 255,
    sources: Sequence[AbstractSource | nn.Module | Path | str] = (),
    budget: str = FULL,
    *,
    norm: AbstractNorm = Linf(),  # noqa: B008 - frozen
    time_average: TimeAverage = TimeAverage(),  # noqa: B008 - frozen
) -> Suite:
    """What a determined attacker gets: seven entries, of which each image's worst counts.

    APGD-CE by BPTT, APGD-CE with the clamp passed straight through, APGD-DLR by BPTT, SA-PGD with adaptive
    sharpness, APGD-CE with time-averaged gradients, Square, and transfer (APGD-CE) from each source. 100
    steps, 1,000 queries of Square, and for networks whose answers vary 20 fresh draws for every gradient
    and query; others need one. The budget "quick" is the same list with 20 steps, 200 queries and 5 draws:
    it is not reliable, and its rows say so.

    Args:
        eps: Largest perturbation, pixel units.
        sources: Other networks, for transfer: classifiers or run folders. Without any the entry is not run.
        budget: "full" or "quick".
        norm: How perturbations are measured.
        time_average: The path of the fifth entry; its width is chosen on validation images
            (``rs.attacks.tune_width``), which ``rsc-snn attack`` does by itself.
    """
    if budget not in _BUDGETS:
        raise UnknownNameError("budget", budget, _BUDGETS)
    size = _BUDGETS[budget]
    search = APGD(eps=eps, norm=norm, num_steps=size.num_steps)

    def entry(name: str, attack: AbstractAttack, path: AbstractGradient) -> Entry:
        return Entry(name=name, attack=attack, gradient=Expectation(of=path, num_draws=size.num_draws))

    entries = (
        entry("APGD-CE", search, BPTT()),
        entry("APGD-CE straight-through clamp", search, StraightThroughClamp(of=BPTT())),
        entry("APGD-DLR", replace(search, loss=DLR()), BPTT()),
        entry(
            "SA-PGD adaptive sharpness",
            SAPGD(eps=eps, norm=norm, num_steps=size.num_steps),
            AdaptiveSharpness(),
        ),
        entry("APGD-CE time average", search, time_average),
        entry("Square", Square(eps=eps, norm=norm, num_steps=size.num_queries), BPTT()),
        entry("transfer", Transfer(eps=eps, norm=norm, sources=tuple(sources), of=search), BPTT()),
    )
    return Suite(name=RELIABLE, entries=entries, budget=budget, scores_winner_only=True)


def require_honest_name(suite: Suite) -> None:
    """Raise unless a suite that carries the name of one of ours is that suite."""
    if suite.name == PAPER and not (suite.entries and suite == paper(suite.entries[0].attack.eps)):
        raise InputError("a suite of other attacks cannot be called 'paper'; give it another name")
    if suite.name == RELIABLE and not _is_reliable(suite):
        raise InputError("a suite of other attacks cannot be called 'reliable'; give it another name")


def with_width(suite: Suite, time_average: TimeAverage) -> Suite:
    """Return the suite with this path in place of a time-averaged one whose width nobody chose."""
    return replace(suite, entries=tuple(_with_width(entry, time_average) for entry in suite.entries))


def has_open_width(suite: Suite) -> bool:
    """Whether an entry averages gradients over time with the width that nobody chose: the default."""
    return any(_is_open(entry) for entry in suite.entries)


def _is_reliable(suite: Suite) -> bool:
    if len(suite.entries) != 7 or not isinstance(suite.entries[-1].attack, Transfer):
        return False
    attack, path = suite.entries[-1].attack, suite.entries[4].gradient
    if not (isinstance(path, Expectation) and isinstance(path.of, TimeAverage)):
        return False
    ours = reliable(attack.eps, attack.sources, suite.budget, norm=attack.norm, time_average=path.of)
    return suite == ours


def _is_open(entry: Entry) -> bool:
    return isinstance(entry.gradient, Expectation) and entry.gradient.of == TimeAverage()


def _with_width(entry: Entry, time_average: TimeAverage) -> Entry:
    if not _is_open(entry):
        return entry
    assert isinstance(entry.gradient, Expectation)
    return replace(entry, gradient=replace(entry.gradient, of=time_average))
