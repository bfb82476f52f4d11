"""How a reproduction was run: budget, deviations, commands, cost, environment, failures. Needs no torch."""

import json
from collections.abc import Sequence
from typing import Any

from rsc_snn.report.reproduction.cells import method_text
from rsc_snn.report.reproduction.place import place_of
from rsc_snn.report.reproduction.reading import NOT_RUN, Evidence
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.reproduction import FAILED

_BUDGETS = {
    "smoke": "Budget smoke: every network is replaced by one small network on few images, to show that "
    "everything runs. Its numbers say nothing about the paper.",
    "short": "Budget short: training, networks and test images are cut so that it ends within an evening. "
    "What is cut is said below; numbers of cut runs get no verdict.",
    "small": "Budget small: one epoch, a quarter of the channels and few time steps, so that many networks "
    "can be set beside each other on a CPU. Its numbers compare these networks; they get no verdict on the "
    "paper.",
    "paper": "Budget paper: full training, all test images.",
}
_UNSTATED = (
    "T, optimiser, learning rate, epochs, batch size, surrogate, decay, threshold and augmentation",
    "over how many draws Table 2 averages its gradients",
    "the coding of the network on which the images of Table 4 are made: here the attacked network's own "
    "recipe with the next seed",
    "eps of the adversarial training in Table 5",
    "the teacher of E-RSCT, and the direction and temperature of its divergence",
    "what Vanilla is in Table 7: here direct coding",
    "data set and network of Figure 3",
)
_NOISE = (
    "Section 4.4 writes the noise levels as sigma^2 = 0.01, 0.1 and 0.5, and so they are taken here: names "
    "carry the variance. Whether the paper's own runs used them so cannot be told from its text."
)
_OWN = ("started", "command", "data", "seed", "subject")  # what differs in every run


def running_section(evidence: Evidence) -> Section:
    """Return the section "How it was run"."""
    plan = evidence.plan
    asked = [
        f"places: {', '.join(place_of(key).name for key in plan.places)}",
        f"seeds: {plan.seeds}",
        *([f"data set: {plan.dataset}"] if plan.dataset else []),
        *([f"test images per cell: {plan.limit:,} at most"] if plan.limit is not None else []),
    ]
    words = [
        _BUDGETS.get(plan.budget, f"Budget {plan.budget}."),
        f"Asked for: {'; '.join(asked)}.",
        _cost_words(evidence),
        f"The paper does not state: {'; '.join(_UNSTATED)}. What was taken instead stands in each run.yaml.",
        _NOISE,
    ]
    tables = [_deviations(evidence), _failures(evidence), _cells(evidence), _environments(evidence)]
    return Section("How it was run", words, [table for table in tables if table])


def _seconds(evidence: Evidence, cell: str) -> float | None:
    seconds = evidence.states.get(cell, {}).get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def duration(seconds: float) -> str:
    """Seconds as people say them: 42 s, 3.5 min, 2.1 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _cost_words(evidence: Evidence) -> str:
    known = [s for task in evidence.plan.tasks if (s := _seconds(evidence, task.key)) is not None]
    states = [evidence.states.get(task.key, {}).get("state", NOT_RUN) for task in evidence.plan.tasks]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{len(states)} cells: {counts or 'none'}. In all {duration(sum(known))} of computing."


def _deviations(evidence: Evidence) -> Table | None:
    found: dict[tuple[str, str, str], list[str]] = {}
    for line in evidence.plan.lines:
        ways = [*([line.stand_in] if line.stand_in else []), *line.reductions]
        for way in ways:
            key = (f"{line.dataset}, {line.network}", way, place_of(line.place).name)
            found.setdefault(key, []).append(method_text(line))
    rows: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for (network, way, place), methods in found.items():
        places, named = rows.setdefault((network, way), ([], []))
        places.append(place)
        named += methods
    cells = [
        [network, way, ", ".join(dict.fromkeys(places)), "; ".join(dict.fromkeys(methods))]
        for (network, way), (places, methods) in rows.items()
    ]
    columns = ("the paper's data set and network", "what was done instead", "in", "lines")
    return Table("Deviations from the paper", columns, cells) if cells else None


def _failures(evidence: Evidence) -> Table | None:
    named = {task.key: task.what for task in evidence.plan.tasks}
    cells = [
        [named.get(key, key), str(row.get("reason") or "no reason given"), str(row.get("attempts", MISSING))]
        for key, row in evidence.states.items()
        if row.get("state") == FAILED
    ]
    return Table("Failed cells", ("cell", "reason", "attempts"), cells) if cells else None


def _cells(evidence: Evidence) -> Table | None:
    cells = []
    for task in evidence.plan.tasks:
        state, seconds = evidence.states.get(task.key, {}), _seconds(evidence, task.key)
        cells.append(
            [
                task.what,
                str(state.get("state", NOT_RUN)),
                MISSING if seconds is None else duration(seconds),
                str(state.get("device") or MISSING),
                task.command or MISSING,
            ]
        )
    columns = ("cell", "state", "time", "device", "command that does the same by hand")
    return Table("Cells, in the order in which they run", columns, cells) if cells else None


def _environments(evidence: Evidence) -> Table | None:
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for run in dict.fromkeys(task.run for task in evidence.plan.tasks):
        for entry in evidence.environments(run):
            kept = {name: value for name, value in entry.items() if name not in _OWN}
            found.setdefault(json.dumps(kept, sort_keys=True), (kept, []))[1].append(run)
    cells = [_environment(kept, list(dict.fromkeys(runs))) for kept, runs in found.values()]
    columns = ("device", "commit", "versions", "runs")
    return Table("Environments", columns, cells) if cells else None


def _environment(entry: dict[str, Any], runs: Sequence[str]) -> list[str]:
    device, source = entry.get("device") or {}, entry.get("source") or {}
    commit = f"{source.get('commit') or 'installed package'}{', changed' if source.get('dirty') else ''}"
    versions = {"python": entry.get("python"), **(entry.get("packages") or {})}
    described = (
        ", ".join(str(value) for value in device.values()) if isinstance(device, dict) else str(device)
    )
    listed = f"{', '.join(runs[:3])} and {len(runs) - 3} more" if len(runs) > 3 else ", ".join(runs)
    return [described, commit, ", ".join(f"{n} {v}" for n, v in versions.items() if v), listed]
