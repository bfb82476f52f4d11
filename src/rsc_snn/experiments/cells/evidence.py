"""What a finished cell left behind: by it a later call sees whether that is still there and still fits."""

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rsc_snn.runs.files import read_rows

Evidence = dict[str, Any]


def weights_digest(weights: Path) -> str | None:
    """Digest of a file of weights; None where there is none."""
    if not weights.is_file():
        return None
    return _digest(weights, weights.stat().st_mtime_ns)


def count_rows(path: Path, where: Mapping[str, Any], limit: int | None = None) -> int:
    """Count the rows of a file whose fields have these values, of images below ``limit``."""
    return sum(
        all(row.get(name) == value for name, value in where.items())
        and (limit is None or row.get("index", 0) < limit)
        for row in read_rows(path)
    )


@functools.cache
def _digest(weights: Path, changed: int) -> str:
    with open(weights, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
