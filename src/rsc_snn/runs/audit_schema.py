"""What a row of audit.jsonl must hold."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import refuse, require_types

PASS, WARN, FAIL, NOT_APPLICABLE = "pass", "warn", "fail", "not applicable"
VERDICTS = (PASS, NOT_APPLICABLE, WARN, FAIL)  # from good to bad
_NUMBER = (int, float)
_OPTIONAL = (int, float, type(None))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "title": str,
    "sign": (int, type(None)),
    "verdict": str,
    "value": _OPTIONAL,
    "threshold": _OPTIONAL,
    "note": str,
    "curve": dict,
    "axes": list,
    "passes": int,
    "seconds": _NUMBER,
    "budget": str,
    "seed": int,
    "eps": _NUMBER,
    "num_images": int,
    "num_draws": int,
    "is_random": bool,
}


def require_audit_rows(rows: Sequence[Row], path: Path) -> None:
    """Raise RunFolderError unless every row is the answer of a check, and no check stands there twice."""
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        require_types(row, _TYPES, path, number)
        if row["verdict"] not in VERDICTS:
            refuse(path, number, f"has verdict {row['verdict']!r}, expected one of {', '.join(VERDICTS)}")
        if len(row["axes"]) != 2 or not all(_is_curve(points) for points in row["curve"].values()):
            refuse(path, number, "has a curve that is not a list of [x, y, low, high]")
        if row["name"] in seen:
            refuse(path, number, "repeats an earlier row")
        seen.add(row["name"])


def _is_curve(points: object) -> bool:
    return isinstance(points, list) and all(
        isinstance(point, list)
        and len(point) == 4
        and all(isinstance(number, _NUMBER) for number in point[:2])
        and all(isinstance(number, _OPTIONAL) for number in point[2:])
        for point in points
    )
