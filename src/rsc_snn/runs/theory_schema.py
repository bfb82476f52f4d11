"""What a row of theory.jsonl must hold."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
_Types = dict[str, type | tuple[type, ...]]
DATA = "data"
CLAMP = "clamp-breaks-theorem-3.3"
CHANGES = ("change-poisson", "change-unclamped", "change-clamped")
_COMMON: _Types = {"entries": int, "chance": _NUMBER, "cases": list, "variance": _NUMBER}
_OF_CLAIM: dict[str, _Types] = {
    CLAMP: dict.fromkeys(
        ("largest_bias", "largest_shift", "lowest_variance_ratio", "highest_variance_ratio"), _NUMBER
    )
}
_CASE: _Types = {"case": str, "relative_change": _NUMBER, "from_zero": _NUMBER}
_OF_DATA: _Types = {"present": dict, "missing": list}
_OF_PAIR: _Types = {
    "first": str,
    "second": str,
    "time": str,
    "is_centred": bool,
    "interval": list,
    "control": list,
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
        _DETAILS[row["part"]](row, path, number)
        if row["name"] in seen:
            refuse(path, number, "repeats an earlier row")
        seen.add(row["name"])


def _require_covariance(row: Row, path: Path, number: int) -> None:
    """The value, its threshold, and what the claim of the row adds."""
    claim = row["name"].partition(":")[0]
    _require({"value": row["value"], "threshold": row["threshold"]}, _LIMITS, "", path, number)
    _require(row["details"], {**_COMMON, **_OF_CLAIM.get(claim, {})}, "details.", path, number)
    if claim in CHANGES:
        for i, case in enumerate(row["details"]["cases"]):
            _require(case, _CASE, f"details.cases[{i}].", path, number)


def _require_similarity(row: Row, path: Path, number: int) -> None:
    """A pair of codings with its control, or the data sets that were looked at."""
    details = row["details"]
    if row["name"] == DATA:
        _require(details, _OF_DATA, "details.", path, number)
        if not all(isinstance(name, str) for name in details["missing"]):
            refuse(path, number, f"has details.missing {details['missing']!r}, expected names")
        return
    _require({"value": row["value"]}, {"value": _NUMBER}, "", path, number)
    _require(details, _OF_PAIR, "details.", path, number)
    for name, length in (("interval", 2), ("control", 3)):
        numbers = details[name]
        if len(numbers) != length or not all(isinstance(each, _NUMBER) for each in numbers):
            refuse(path, number, f"has details.{name} {numbers!r}, expected {length} numbers")


def _require(found: Any, types: _Types, front: str, path: Path, number: int) -> None:
    """Refuse what lacks a field, or has one of another type."""
    if not isinstance(found, dict):
        refuse(path, number, f"has {front[:-1]} {found!r}, expected fields")
    for name, kind in types.items():
        if name not in found:
            refuse(path, number, f"lacks {front}{name}")
        if not isinstance(found[name], kind):
            refuse(path, number, f"has {front}{name} {found[name]!r}")


_LIMITS: _Types = {"value": _NUMBER, "threshold": _NUMBER}
_DETAILS: dict[str, Callable[[Row, Path, int], None]] = {
    COVARIANCE: _require_covariance,
    SIMILARITY: _require_similarity,
}


def _is_curve(points: object) -> bool:
    return isinstance(points, list) and all(
        isinstance(point, list)
        and len(point) == 4
        and all(isinstance(number, _NUMBER) for number in point[:2])
        and all(isinstance(number, _OPTIONAL) for number in point[2:])
        for point in points
    )
