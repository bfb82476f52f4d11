"""What a row of certificates.jsonl must hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import refuse, require_types

DEMAND = ("seed", "alpha", "num_select", "num_estimate", "target")
KEY = (*DEMAND, "index")
NORMS = ("l2", "l1")
_NUMBER = (int, float)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "index": int,
    "label": int,
    "predicted": (int, type(None)),
    "radius": _NUMBER,
    "norm": str,
    "counts": list,
    "num_draws": int,
    "num_select": int,
    "num_estimate": int,
    "alpha": _NUMBER,
    "seed": int,
    "target": (int, float, type(None)),
    "scale": _NUMBER,
    "num_values": int,
    "batch_size": int,
    "rows_per_pass": int,
    "compiled": bool,
}


def certificate_key(row: Row) -> tuple[object, ...]:
    """What identifies a row of certificates.jsonl."""
    return tuple(row[name] for name in KEY)


def demand_of(row: Row) -> dict[str, Any]:
    """What was asked for when a row was made."""
    return {name: row[name] for name in DEMAND}


def require_certificate_rows(rows: Sequence[Row], path: Path) -> None:
    """Raise RunFolderError unless every row is a certificate and no key stands there twice."""
    seen: set[tuple[object, ...]] = set()
    for number, row in enumerate(rows, start=1):
        require_types(row, _TYPES, path, number)
        counts = row["counts"]
        if (
            not all(isinstance(count, int) and count >= 0 for count in counts)
            or sum(counts) != row["num_draws"]
        ):
            refuse(path, number, f"has counts {counts!r}, expected {row['num_draws']} votes by class")
        if (
            row["norm"] not in NORMS
            or row["radius"] < 0
            or (row["predicted"] is None) != (row["radius"] == 0)
        ):
            refuse(
                path,
                number,
                f"has radius {row['radius']!r} in {row['norm']!r} for class {row['predicted']!r}",
            )
        if certificate_key(row) in seen:
            refuse(path, number, "repeats an earlier row")
        seen.add(certificate_key(row))
