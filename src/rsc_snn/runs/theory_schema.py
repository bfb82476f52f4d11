"""What a row of theory.jsonl must hold."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import refuse, require_types

PASS, FAIL, INFO = "pass", "fail", "info"
VERDICTS = (PASS, INFO, FAIL)  # from good to bad
COVARIANCE, SIMILARITY = "covariance", "similarity"
PARTS = (COVARIANCE, SIMILARITY)
_NUMBER = (int, float)
_OPTIONAL = (int, float, type(None))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "part": str,
    "title": str,
    "subject": str,
    "verdict": str,
    "value": _OPTIONAL,
    "threshold": _OPTIONAL,
    "note": str,
    "axes": list,
    "curve": dict,
    "details": dict,
    "seed": int,
}


def require_theory_rows(rows: Sequence[Row], path: Path) -> None:
    """Raise RunFolderError unless every row is a finding, and none stands there twice."""
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        require_types(row, _TYPES, path, number)
        for name, known in (("verdict", VERDICTS), ("part", PARTS)):
            if row[name] not in known:
                refuse(path, number, f"has {name} {row[name]!r}, expected one of {', '.join(known)}")
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
