"""What a row of activity.jsonl must hold."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import refuse, require_types

CLEAN = "clean"
MEASURED = ("rate", "change", "accumulates", "multiply_accumulates")  # each with an interval
_NUMBER = (int, float)
_OPTIONAL = (int, float, type(None))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "condition": str,
    "attack": (str, type(None)),
    "gradient": (str, type(None)),
    "layer": str,
    "position": int,
    "is_spiking": (bool, type(None)),
    "num_neurons": int,
    "num_steps": int,
    "silent": _OPTIONAL,
    "connections": int,
    "num_images": int,
    "seed": int,
    "eps": _NUMBER,
    "limit": (int, type(None)),
    "subject": str,
}


def require_activity_rows(rows: Sequence[Row], path: Path) -> None:
    """Raise RunFolderError unless every row is a layer under a condition, and none stands there twice."""
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=1):
        require_types(row, _TYPES, path, number)
        for name in MEASURED:
            if not _is_estimate(row.get(name)):
                refuse(path, number, f"has {name} {row.get(name)!r}, expected [value, low, high] or null")
        for name in ("rate", "silent"):
            value = row[name][0] if name in MEASURED and row[name] else row[name]
            if value is not None and not 0 <= value <= 1:
                refuse(path, number, f"has {name} {value!r}, expected a share in [0, 1]")
        if row["num_steps"] < 1 or row["num_images"] < 1:
            refuse(path, number, "has no steps or images")
        key = (row["condition"], row["layer"])
        if key in seen:
            refuse(path, number, "repeats an earlier row")
        seen.add(key)


def _is_estimate(value: object) -> bool:
    """Whether it is null, or a number with the ends of its interval, which one image does not have."""
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], _NUMBER):
        return False
    return all(isinstance(end, _OPTIONAL) for end in value[1:])
