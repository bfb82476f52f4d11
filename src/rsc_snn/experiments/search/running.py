"""Running a search: train and measure each candidate, on validation images alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.aims import Score, ranked
from rsc_snn.evaluation.differences import MeanDifference
from rsc_snn.evaluation.held_back import HeldBack
from rsc_snn.experiments.cells import AbstractCell, Place
from rsc_snn.experiments.grid.base import AbstractGrid, Watcher
from rsc_snn.experiments.grid.outcome import Outcome
from rsc_snn.experiments.reproduce import expected_seconds, recorded, unfinished
from rsc_snn.experiments.search.book import Book
from rsc_snn.experiments.search.gaps import gaps_to_first
from rsc_snn.experiments.search.plan import IMAGES, SearchPlan, plan_of
from rsc_snn.experiments.search.trials import Trial, checked_trials, stages
from rsc_snn.runs.files import Row, cut_rows, replace_text
from rsc_snn.runs.folder import RunFolder, read_yaml
from rsc_snn.runs.reproduction import STATES
from rsc_snn.spec import to_data

PLAN = "search.yaml"
_CARVE = ("num_images", "num_validation", "seed")

OnStage = Callable[[int, list[AbstractCell], int, float], None]


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        rows: The last row of each candidate, from best to worst.
        num_measured: Networks that were ever measured in the folder.
        gaps: How far the others stand behind the first.
    """

    rows: list[Row]
    num_measured: int
    gaps: Mapping[str, MeanDifference]


def search(
    plan: SearchPlan,
    place: Place,
    grid: AbstractGrid,
    *,
    is_halving: bool = False,
    watcher: Watcher | None = None,
    on_stage: OnStage = lambda stage, left, num_done, seconds: None,
) -> Found:
    """Train every candidate, measure it on validation images, and rank them; the test split is not opened.

    Rows go to search.jsonl, a row per candidate and stage, in the order of the plan. What is done is kept.

    Args:
        plan: What is tried.
        place: Where; runs lie in its folder.
        grid: What runs the cells.
        is_halving: Whether the plan's rungs are climbed, after each of which the better half goes on.
        watcher: Is told what happens.
        on_stage: Called before the first cell of a stage with its number, the cells that are left, the
            number of those that are done, and the seconds that one device is expected to take.

    Raises:
        InputError: something in the plan does not fit, or the folder holds another search.
    """
    epochs = stages(plan, is_halving=is_halving)
    trials = checked_trials(plan, epochs, place.data_root)
    with RunFolder(place.folder).locked():
        _keep(plan, trials[0].kept_back(), place.folder)
        cut_rows(place.folder / STATES)
        book, latest = Book(place), dict[str, Row]()
        going = [candidate.label for candidate in plan.candidates]
        for stage in range(1, len(epochs) + 1):
            own = [trial for trial in trials if trial.stage == stage and trial.candidate.label in going]
            if not own:
                break  # all have failed
            rows = _run(own, book, grid, watcher or Watcher(), on_stage)
            latest |= {row["candidate"]: row for row in rows}
            found = ranked(plan.objective, [Score.of(row) for row in rows])
            alive = [score.label for score in found if score.clean is not None]
            going = alive[: -(-len(own) // 2)]
        order = ranked(plan.objective, [Score.of(row) for row in latest.values()])
        best_first = [latest[score.label] for score in order]
        gaps = gaps_to_first(best_first, plan.objective, place.folder)
        return Found(best_first, book.num_measured(), gaps)


def _run(
    trials: Sequence[Trial], book: Book, grid: AbstractGrid, watcher: Watcher, on_stage: OnStage
) -> list[Row]:
    """Compute what is left of a stage; rows are written in the order of the plan."""
    cells = [cell for trial in trials for cell in (trial.trained, trial.measured)]
    left = unfinished(cells, book.place)
    open_keys, reasons, rows = {cell.key for cell in left}, dict[str, str | None](), list[Row]()

    def write_ended() -> None:
        for trial in trials[len(rows) :]:
            if trial.measured.key in open_keys:
                return
            rows.append(book.add(trial, reasons.get(trial.measured.key)))

    if left:
        seconds = expected_seconds(left, book.place)
        on_stage(trials[0].stage, list(left), len(cells) - len(left), seconds)
    write_ended()
    for outcome in recorded(grid, left, book.place, watcher):
        open_keys.discard(outcome.cell)
        reasons[outcome.cell] = _reason(outcome)
        write_ended()
    return rows


def _reason(outcome: Outcome) -> str | None:
    return None if outcome.is_done else outcome.reason or "failed"


def _keep(plan: SearchPlan, kept: HeldBack, folder: Path) -> None:
    """Write the plan; what a folder holds is comparable only if it was measured in the same way."""
    path = folder / PLAN
    images = {"data": to_data(kept.data), **{name: getattr(kept, name) for name in _CARVE}}
    if path.is_file():
        data = read_yaml(path)
        earlier = plan_of(data, str(path))
        if (earlier.protocol, earlier.seed) != (plan.protocol, plan.seed):
            raise RunFolderError(
                f"{str(folder)!r} holds a search with another protocol or seed; choose another --out"
            )
        if data.get(IMAGES) != images:
            raise RunFolderError(
                f"{str(folder)!r} holds a search on other validation images than {kept}, or does not tell on "
                "which; choose another --out"
            )
    replace_text(path, yaml.safe_dump({**to_data(plan), IMAGES: images}, sort_keys=False, width=100))
