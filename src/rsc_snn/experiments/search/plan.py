"""What a search tries, how it measures and what it looks for: a small YAML file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsc_snn.attacks import QUICK, Suite, paper, reliable
from rsc_snn.attacks.suites import PAPER, RELIABLE
from rsc_snn.checks import require_counts
from rsc_snn.errors import InputError, RangeError, UnknownNameError
from rsc_snn.evaluation.aims import AbstractAim
from rsc_snn.runs.folder import read_yaml
from rsc_snn.spec import Spec, from_data

IMAGES = "validation_images"  # of search.yaml: on which images it was measured


@dataclass(frozen=True, kw_only=True)
class Candidate(Spec):
    """A recipe with changes.

    Args:
        label: What it is called in the ranking.
        recipe: As for ``rsc-snn train``.
        set: Words of ``--set``, after those of the plan.
    """

    label: str
    recipe: str
    set: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Protocol(Spec):
    """How every candidate is measured, on validation images.

    Args:
        suite: "paper" or "reliable".
        budget: Of suite "reliable": "quick", which is the default, or "full".
        eps: Strength, l_inf, pixel units.
        images: Validation images, from the first on; None is all.
        draws: Scoring draws, and as many held-out draws, of candidates with noise.
        batch_size: Images attacked together.
    """

    suite: str = PAPER
    budget: str | None = None
    eps: float = 8 / 255
    images: int | None = None
    draws: int = 20
    batch_size: int = 64

    def __post_init__(self) -> None:
        require_counts(images=self.images, draws=self.draws, batch_size=self.batch_size)
        if self.suite not in _SUITES:
            raise UnknownNameError("suite", self.suite, _SUITES)
        if not 0 < self.eps <= 1:
            raise RangeError(f"eps must lie in (0, 1], pixel units such as 8/255, got {self.eps}")
        self.attacks()

    def attacks(self) -> Suite:
        """Return the suite."""
        return _SUITES[self.suite](self)


def _paper(protocol: Protocol) -> Suite:
    if protocol.budget is not None:
        raise InputError(f"suite paper has no budget, got {protocol.budget!r}; use suite reliable")
    return paper(protocol.eps)


def _reliable(protocol: Protocol) -> Suite:
    return reliable(protocol.eps, budget=protocol.budget or QUICK)


_SUITES: Mapping[str, Callable[[Protocol], Suite]] = {PAPER: _paper, RELIABLE: _reliable}


@dataclass(frozen=True, kw_only=True)
class SearchPlan(Spec):
    """Everything that decides what a search computes.

    Args:
        candidates: At least one, with different labels.
        protocol: The same for all of them.
        objective: What to look for.
        set: Words of ``--set`` for every candidate, before its own.
        rungs: Epochs of the short trials of successive halving, rising; after each the better half,
            rounded up, goes on, at last to the full training.
        seed: Of every training and evaluation, and of which images are kept for validation.
    """

    candidates: tuple[Candidate, ...]
    protocol: Protocol
    objective: AbstractAim
    set: tuple[str, ...] = ()
    rungs: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.candidates:
            raise InputError("a search needs at least one candidate, got none")
        labels = [candidate.label for candidate in self.candidates]
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise InputError(f"two candidates are called {twice!r}; give each a label of its own")
        if list(self.rungs) != sorted(set(self.rungs)) or min(self.rungs, default=1) < 1:
            raise InputError(f"rungs must be rising numbers of epochs, at least 1, got {list(self.rungs)}")


def read_plan(path: Path) -> SearchPlan:
    """Return the plan of a YAML file.

    Raises:
        InputError: there is no such file, or something in it does not fit.
    """
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}; give a plan in YAML, such as examples/search/digits.yaml")
    return plan_of(read_yaml(path), path.name)


def plan_of(data: Mapping[str, Any], where: str) -> SearchPlan:
    """Return the plan in plain data, also in those of search.yaml, which tells beside it what was kept back.

    Args:
        data: As read from a file.
        where: What that is called in messages.

    Raises:
        InputError: something does not fit.
    """
    return from_data({name: value for name, value in data.items() if name != IMAGES}, SearchPlan, where=where)
