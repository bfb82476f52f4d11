"""How long the first compiled update takes in a fresh process."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rsc_snn.benchmarks.backends import COMPILED, PLAIN
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.processes import alone
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.timing import Side, make_row, seconds_of
from rsc_snn.benchmarks.update import Learner
from rsc_snn.benchmarks.workload import usual_workload
from rsc_snn.errors import InputError
from rsc_snn.networks.compiling import can_compile
from rsc_snn.runs.files import Row

_MOST_ROUNDS = 3  # each of them compiles
_TWIN = "ANN, compiled"


@dataclass(frozen=True, kw_only=True)
class ColdStart(AbstractCase):
    """The first update with an empty cache of compiled code, and in the next process with that cache."""

    name: ClassVar[str] = "coldstart"
    position: ClassVar[int] = 6

    def measure(self, settings: Settings) -> list[Row]:
        """Return two rows per side; importing torch is not counted.

        Raises:
            InputError: nothing can be compiled here.
        """
        if not can_compile(settings.place):
            raise InputError(
                "case coldstart expects a compiler (g++ or clang++; Triton on a GPU), found none; install it "
                "or name the other cases"
            )
        sides: list[tuple[str, str | None]] = [("ours", COMPILED), (_TWIN, None)]
        return [row for side, backend in sides for row in _rows(side, backend, settings)]

    def perform(self, task: Row, settings: Settings) -> Row:
        """Return the seconds of the first update and of the second one."""
        workload = usual_workload(is_quick=settings.is_quick)
        network: Any = workload.twin(PLAIN) if task["backend"] is None else workload.spiking(task["backend"])
        if task["backend"] is None:
            network.network.compile(dynamic=False)
        learner = Learner(network, workload, settings.place)
        first, second = (seconds_of(learner.update, settings.place) for _ in range(2))
        return {"first": first, "second": second}


def _rows(side: str, backend: str | None, settings: Settings) -> list[Row]:
    found: dict[str, list[Row]] = {"empty": [], "filled": []}
    for _ in range(min(settings.rounds, _MOST_ROUNDS)):
        with tempfile.TemporaryDirectory() as folder:
            places = {
                "TORCHINDUCTOR_CACHE_DIR": folder,
                "TRITON_CACHE_DIR": str(Path(folder) / "triton"),
            }
            for taken in found.values():
                taken.append(alone(ColdStart.name, settings, {"backend": backend}, environment=places))
    rows = []
    for cache, taken in found.items():
        facts = {"second_update": [round(one["second"], 6) for one in taken]}
        shown = Side(name=side, backend=backend, work=lambda: None, is_checked=None, facts=facts)
        what = {"cache": cache, **usual_workload(is_quick=settings.is_quick).described()}
        rows.append(make_row(ColdStart.name, what, shown, [one["first"] for one in taken], settings))
    return rows
