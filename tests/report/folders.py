"""Hand-made reproductions: a folder with its plan, its cells and rows whose accuracies are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsc_snn.paper.number import Number, Status
from rsc_snn.report.reproduction.reading import Evidence, read_evidence
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.reproduction import DONE, RUNS, STATES, Line, Reproduction, Rows, Task

EPS = 8 / 255
CIFAR, VGG5 = "CIFAR-10", "VGG-5"
DIGITS = "digits, VGG5 of hidden width 256, T=4, in place of CIFAR-10 VGG-5"


def attack_row(index: int, right: int, *, clean: int = 10, **changes: Any) -> Row:
    """Ten scoring draws of two classes, of which so many are right."""
    return {
        "suite": "paper", "budget": "full", "seed": 0, "eps": EPS, "norm": "linf", "entry": "PGD",
        "index": index, "label": 0, "attack": "PGD", "gradient": "BPTT()", "num_draws": 10,
        "clean_counts": [clean, 10 - clean], "adversarial_counts": [right, 10 - right],
        "heldout_counts": [right, 10 - right], "heldout_margin": 0.0,
        "linf": EPS, "l2": 1.0, "flags": [], "batch_size": 4, "draw_chunk": 1, **changes,
    }  # fmt: skip


def audit_row(sign: int | None, name: str, verdict: str, value: float, **changes: Any) -> Row:
    return {
        "name": name, "title": name.replace("-", " "), "sign": sign, "verdict": verdict, "value": value,
        "threshold": 0.05, "note": "a note", "curve": {"run": [[0, 1.0, None, None], [8, 0.5, 0.4, 0.6]]},
        "axes": ["eps", "accuracy"], "passes": 3, "seconds": 0.1, "budget": "full", "seed": 0, "eps": EPS,
        "num_images": 40, "num_draws": 20, "is_random": True, **changes,
    }  # fmt: skip


def at(run: str, *, file: str = "attacks.jsonl", limit: int | None = None, **where: Any) -> Rows:
    """Where rows stand; the cell has the run's name."""
    return Rows(cell=run, run=run, file=file, where=where, limit=limit)


def line(place: str = "table3", method: str = "RSC-0.1", **changes: Any) -> Line:
    values: dict[str, Any] = {"dataset": CIFAR, "network": VGG5, "numbers": {}, **changes}
    return Line(place=place, method=method, **values)


def write_rows(folder: Path, run: str, rows: Sequence[Row], file: str = "attacks.jsonl") -> None:
    (folder / RUNS / run).mkdir(parents=True, exist_ok=True)
    append_rows(folder / RUNS / run / file, rows)


def write_state(folder: Path, cell: str, state: str = DONE, **facts: Any) -> None:
    append_rows(
        folder / STATES,
        [
            {
                "cell": cell,
                "state": state,
                "reason": "",
                "seconds": 2.0,
                "attempts": 1,
                "device": "cpu",
                **facts,
            }
        ],
    )


def reproduce(
    folder: Path,
    lines: Sequence[Line],
    runs: Mapping[str, Sequence[Row]] | None = None,
    *,
    places: Sequence[str] = ("table3",),
    budget: str = "paper",
    tasks: Sequence[Task] = (),
    **changes: Any,
) -> Path:
    """Write a plan, and runs whose cells are done."""
    folder.mkdir(parents=True, exist_ok=True)
    for run, rows in (runs or {}).items():
        write_rows(folder, run, rows)
        write_state(folder, run)
    Reproduction(
        places=tuple(places), budget=budget, seeds=1, lines=tuple(lines), tasks=tuple(tasks), **changes
    ).write(folder)
    return folder


def evidence(folder: Path) -> Evidence:
    found = read_evidence(folder)
    assert found is not None
    return found


@dataclass(frozen=True)
class StubPaper:
    """Some numbers of a paper, with a test set as small as the hand-made rows."""

    numbers: tuple[Number, ...] = ()
    size: int = 40

    def find(self, place: str, dataset: str, network: str, method: str, column: str) -> Number | None:
        key = (place, dataset, network, method, column)
        return next((number for number in self.numbers if number.key == key), None)

    def of_place(self, place: str) -> Sequence[Number]:
        return [number for number in self.numbers if number.place == place]

    def test_size(self, dataset: str) -> int:
        return self.size


def printed(column: str, value: float | None, *, method: str = "RSC-0.1", place: str = "table3") -> Number:
    status = Status.LOST if value is None else Status.LEGIBLE
    return Number(
        place=place, dataset=CIFAR, network=VGG5, method=method, column=column, value=value, status=status
    )
