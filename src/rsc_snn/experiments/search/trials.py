"""From a plan to the cells of each candidate, with everything checked that can be without an image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from rsc_snn.errors import InputError
from rsc_snn.evaluation.held_back import HeldBack, held_back
from rsc_snn.experiments.catalogue import resolve
from rsc_snn.experiments.cells import Network, Trained, Validated
from rsc_snn.experiments.search.plan import Candidate, SearchPlan
from rsc_snn.experiments.settings import with_settings
from rsc_snn.spec import to_data
from rsc_snn.training.teacher import require_teachers


@dataclass(frozen=True)
class Trial:
    """A candidate at one stage: what is trained, and how that is measured.

    Attributes:
        candidate: As in the plan.
        stage: 1 for the first.
        network: What is trained.
        trained: The cell that does.
        measured: The cell that evaluates it on validation images.
    """

    candidate: Candidate
    stage: int
    network: Network
    trained: Trained
    measured: Validated

    def kept_back(self) -> HeldBack:
        """Return what its training, and that of its teachers, leaves for validation."""
        return held_back(to_data(self.network.recipe), self.network.seed)


def stages(plan: SearchPlan, *, is_halving: bool) -> list[int | None]:
    """Return the epochs of each stage; None, always the last, is the full training.

    Raises:
        InputError: halving needs rungs.
    """
    if not is_halving:
        return [None]
    if not plan.rungs:
        raise InputError("--halving needs rungs in the plan, such as rungs: [2, 8]; or leave the option out")
    return [*plan.rungs, None]


def trial(plan: SearchPlan, candidate: Candidate, stage: int, epochs: int | None) -> Trial:
    """Return a candidate at one stage; every stage trains from the start, with a schedule of its own."""
    short = () if epochs is None else (f"training.epochs={epochs}",)
    settings = (*plan.set, *candidate.set, *short)
    recipe = with_settings(resolve(candidate.recipe)[0], settings)
    network = Network(recipe=recipe, seed=plan.seed, settings=settings)
    protocol = plan.protocol
    measured = Validated(
        network=network,
        suites=(protocol.attacks(),),
        limit=protocol.images,
        num_draws=protocol.draws,
        batch_size=protocol.batch_size,
    )
    return Trial(candidate, stage, network, Trained(network=network), measured)


def checked_trials(plan: SearchPlan, epochs: Sequence[int | None], data_root: Path | None) -> list[Trial]:
    """Return the trials of all candidates at all stages, after looking for what would fail later.

    Args:
        plan: What is searched.
        epochs: Of each stage.
        data_root: Where data sets lie; None is the hub.

    Raises:
        InputError: a candidate has no recipe, network or data, the same network stands there twice, or
            candidates would be measured on different images.
    """
    found: list[Trial] = []
    kept: HeldBack | None = None
    for candidate in plan.candidates:
        try:
            own = [trial(plan, candidate, stage, number) for stage, number in enumerate(epochs, start=1)]
            held = _require_trainable(own[-1], data_root)
            _require_shorter(own)
            _require_enough(plan, held)
            if held != (kept := kept or held):
                raise InputError(f"keeps {held} for validation, the first candidate {kept}; make them equal")
        except InputError as err:
            raise InputError(f"candidate {candidate.label!r}: {err}") from err
        found += own
    _require_different(found)
    return found


def _require_trainable(trial: Trial, data_root: Path | None) -> HeldBack:
    recipe = trial.network.recipe
    recipe.data.locate(data_root)
    recipe.objective.require_coding(recipe.coding)
    require_teachers(recipe)
    with torch.device("meta"):
        recipe.classifier().blueprint.build()
    return trial.kept_back()


def _require_shorter(trials: Sequence[Trial]) -> None:
    *short, last = (trial.network.recipe.training.epochs for trial in trials)
    if short and max(short) >= last:
        raise InputError(f"rungs must be shorter than its {last} epochs, got {max(short)}")


def _require_enough(plan: SearchPlan, held: HeldBack) -> None:
    if plan.protocol.images is not None and plan.protocol.images > held.num_validation:
        raise InputError(
            f"protocol.images {plan.protocol.images} exceeds its {held.num_validation} validation images; "
            "raise training.num_validation"
        )


def _require_different(trials: Sequence[Trial]) -> None:
    first: dict[str, str] = {}
    for trial in (trial for trial in trials if trial.stage == trials[-1].stage):
        label = trial.candidate.label
        other = first.setdefault(repr(replace(trial.network.recipe, name="any")), label)
        if other != label:
            raise InputError(f"candidates {other!r} and {label!r} are the same network; leave one away")
