"""Rows of benchmarks: groups of sides that took turns, ratios round by round. Needs no torch."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rsc_snn.report.tables import MISSING
from rsc_snn.runs.files import Row


@dataclass(frozen=True)
class Ratio:
    """A ratio of two sides: median over rounds, lowest and highest round."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def groups_of(rows: Iterable[Row]) -> list[list[Row]]:
    """Return the rows of sides that took turns: the same case and settings, in order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        key = json.dumps([row["case"], row["settings"], row["quick"]], sort_keys=True)
        found.setdefault(key, []).append(row)
    return list(found.values())


def ratio_of_seconds(above: Row, below: Row) -> Ratio:
    """Return the time of ``above`` over that of ``below``, each round for itself."""
    pairs = zip(above["seconds"], below["seconds"], strict=True)
    return _ratio([a / b for a, b in pairs])


def ratio_of_peaks(above: Row, below: Row) -> Ratio | None:
    """Return the peak memory of ``above`` over that of ``below``; None where it was not measured."""
    if not above["peak_bytes"] or not below["peak_bytes"]:
        return None
    return _ratio([above["peak_bytes"] / below["peak_bytes"]])


def _ratio(values: Sequence[float]) -> Ratio:
    return Ratio(median(values), min(values), max(values))


def side_name(row: Row) -> str:
    """A side with its backend or memory layout: ours (eager)."""
    return row["side"] if row["backend"] is None else f"{row['side']} ({row['backend']})"


def workload_name(settings: Row) -> str:
    """What a group of rows computes, in a few words."""
    parts = [_SHOWN[key](value) for key, value in settings.items() if key in _SHOWN]
    return ", ".join(part for part in parts if part)


def short_coding(coding: str) -> str:
    """A coding as the paper calls it."""
    for start, name in (("Direct", "direct"), ("Poisson", "Poisson")):
        if coding.startswith(start):
            return name
    is_second = "resample_each_step=True" in coding
    return "RSC-II" if is_second else "RSC-I"


def duration(seconds: float) -> str:
    """Seconds with three digits: 12.3 ms, 1.23 s."""
    if seconds < 1e-3:
        return f"{1e6 * seconds:.3g} us"
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def span(seconds: Sequence[float]) -> str:
    """Fastest to slowest round."""
    return f"{duration(min(seconds))} to {duration(max(seconds))}"


def mebibytes(num_bytes: float | None) -> str:
    """Memory in MiB."""
    return MISSING if num_bytes is None else f"{num_bytes / 2**20:.0f}"


_SHOWN: dict[str, Callable[[Any], str]] = {
    "attack": str,
    "axis": str,
    "value": str,
    "cache": lambda cache: f"{cache} cache",
    "images": str,
    "workers": lambda workers: f"{workers} decoding" if workers else "",
    "current": lambda shape: "current " + "x".join(map(str, shape)),
    "network": str,
    "coding": short_coding,
    "num_steps": lambda num_steps: f"T={num_steps}",
    "batch_size": lambda batch_size: f"batch {batch_size}",
    "image_size": lambda side: "" if side == 32 else f"{side}x{side}",
}
