"""A search that takes seconds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rsc_snn.evaluation.aims import Robust
from rsc_snn.experiments.cells import Place
from rsc_snn.experiments.grid.base import AbstractGrid
from rsc_snn.experiments.grid.serial import SerialGrid
from rsc_snn.experiments.search.plan import Candidate, Protocol, SearchPlan
from rsc_snn.experiments.search.running import Found, search

SMALL = (
    "network.hidden_width=16",
    "network.width_divisor=4",
    "num_steps=2",
    "training.epochs=1",
    "training.batch_size=32",
    "training.num_images=96",
    "training.num_validation=32",
)
PLAN = SearchPlan(
    candidates=(
        Candidate(label="noisy", recipe="digits-vgg5-rsc0.5"),
        Candidate(label="plain", recipe="digits-vgg5-direct"),
    ),
    protocol=Protocol(images=8, draws=2, batch_size=4),
    objective=Robust(),
    set=SMALL,
)


def small_search(
    folder: Path, plan: SearchPlan = PLAN, grid: AbstractGrid | None = None, **options: Any
) -> Found:
    return search(plan, Place(folder=folder, compiled="off"), grid or SerialGrid(), **options)


def changed(plan: SearchPlan, change: Callable[[Candidate], Candidate]) -> SearchPlan:
    """The plan with every candidate changed."""
    return replace(plan, candidates=tuple(map(change, plan.candidates)))
