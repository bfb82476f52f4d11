"""Rows of a benchmark made by hand."""

from typing import Any

from rsc_snn.runs.files import Row

SETTINGS = {"network": "VGG5(hidden_width=1024)", "coding": "Direct()", "num_steps": 8, "batch_size": 32}
ENVIRONMENT: dict[str, Any] = {
    "cases": ["neuron", "training"],
    "started": "2026-11-23T01:02:03+00:00",
    "command": ["rsc-snn", "benchmark", "--rounds", "3"],
    "python": "3.11.7",
    "platform": "Linux",
    "packages": {"torch": "2.13.0", "scipy": None},
    "peers": {"SpikingJelly": "2.0.0", "Norse": None},
    "device": {"type": "cpu", "name": "a processor", "threads": 2},
}


def row(side: str, seconds: list[float], *, case: str = "training", **facts: Any) -> Row:
    median = sorted(seconds)[len(seconds) // 2]
    return {
        "case": case,
        "settings": SETTINGS,
        "quick": False,
        "side": side,
        "backend": None,
        "seconds": seconds,
        "median_seconds": median,
        "peak_bytes": None,
        "outputs_checked": True,
        "load_average": [0.5, 0.5, 0.5],
        "share_of_ceiling": 0.25,
        **facts,
    }
