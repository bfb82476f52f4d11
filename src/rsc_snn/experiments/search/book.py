"""search.jsonl: what each candidate came to on validation images, and what that cost."""

from dataclasses import dataclass, field

from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.evaluation.summary import paper_qte, summarise, why_unreliable
from rsc_snn.experiments.cells import Place
from rsc_snn.experiments.search.trials import Trial
from rsc_snn.runs.files import Row, append_rows, cut_rows, read_environments, read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import DONE, FAILED, last_states
from rsc_snn.runs.schema import VALIDATION

ROWS = "search.jsonl"


@dataclass
class Book:
    """The rows of a search, a row per candidate and stage, in the order of the plan.

    Args:
        place: Where the search computes.
    """

    place: Place
    _last: dict[str, Row] = field(init=False)

    def __post_init__(self) -> None:
        self._last = {row["cell"]: row for row in cut_rows(self.place.folder / ROWS)}

    def add(self, trial: Trial, reason: str | None) -> Row:
        """Write how a trial ended, unless that is written already, and return its row.

        Args:
            trial: One whose cells have ended.
            reason: Why it failed; None if it did not.
        """
        row = self._row(trial, reason)
        if self._last.get(row["cell"]) != row:
            append_rows(self.place.folder / ROWS, [row])
            self._last[row["cell"]] = row
        return row

    def num_measured(self) -> int:
        """Networks that were ever measured here, whose best is what a winner is."""
        return len({row["run"] for row in read_rows(self.place.folder / ROWS) if row["state"] == DONE})

    def _row(self, trial: Trial, reason: str | None) -> Row:
        measured, network = trial.measured, trial.network
        suite = measured.suites[0]
        return {
            "cell": measured.key,
            "candidate": trial.candidate.label,
            "stage": trial.stage,
            "state": DONE if reason is None else FAILED,
            "reason": reason,
            "split": VALIDATION,
            "suite": suite.name,
            "budget": suite.budget,
            "eps": suite.entries[0].attack.eps,
            "seed": network.seed,
            "recipe": network.recipe.name,
            "set": list(network.settings),
            "run": network.run,
            "epochs": network.recipe.training.epochs,
            **(self._numbers(trial) if reason is None else _NO_NUMBERS),
            **self._cost(trial),
        }

    def _numbers(self, trial: Trial) -> Row:
        rows = trial.measured.worst(self.place)
        found = summarise(rows)
        return {
            "num_images": len(rows),
            "first_index": rows[0]["index"],
            "last_index": rows[-1]["index"],
            "num_draws": rows[0]["num_draws"],
            "clean": _as_list(found.clean),
            "robust": _as_list(found.robust),
            "vote": _as_list(found.vote),
            "qte": _as_list(paper_qte(rows)),
            "unreliable": why_unreliable(rows),
        }

    def _cost(self, trial: Trial) -> Row:
        """Minutes of all calls that came to an end; of a training that was stopped, those of its epochs."""
        states = last_states(self.place.folder)
        folder = RunFolder(self.place.run(trial.network))
        epochs = [*folder.epoch_rows(), *RunFolder(folder.teacher).epoch_rows()]
        training = states.get(trial.trained.key, {}).get("seconds", 0.0)
        training = max(training, sum(row["seconds"] for row in epochs))
        evaluation = states.get(trial.measured.key, {}).get("seconds", 0.0)
        entries = read_environments(folder.environment)
        return {
            "training_minutes": round(training / 60, 3),
            "evaluation_minutes": round(evaluation / 60, 3),
            "device": entries[-1]["device"].get("name") if entries else None,
            "images_trained": sum(row.get("num_train", 0) for row in epochs),
        }


_NO_NUMBERS: Row = dict.fromkeys(
    ("num_images", "first_index", "last_index", "num_draws", "clean", "robust", "vote", "qte", "unreliable")
)


def _as_list(estimate: Estimate | None) -> list[float] | None:
    """As it reads back from a file."""
    return None if estimate is None else list(estimate)
