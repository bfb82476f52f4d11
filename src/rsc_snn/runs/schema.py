"""What a row must hold: rows that were edited by hand or come from elsewhere are refused, not misread."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.files import Row

TEST, VALIDATION = "test", "validation"
KEY = ("suite", "budget", "seed", "eps", "norm", "entry", "index")
_ATTACK_TYPES: dict[str, type | tuple[type, ...]] = {
    "suite": str,
    "budget": str,
    "seed": int,
    "eps": (int, float),
    "norm": str,
    "entry": str,
    "index": int,
    "label": int,
    "num_draws": int,
    "clean_counts": list,
    "heldout_counts": (list, type(None)),
    "heldout_margin": (int, float, type(None)),
    "flags": list,
    "batch_size": int,
    "draw_chunk": int,
}
_EPOCH_TYPES: dict[str, type | tuple[type, ...]] = {
    "epoch": int,
    "loss": (int, float),
    "train_accuracy": (int, float),
    "seconds": (int, float),
}


def row_key(row: Row) -> tuple[object, ...]:
    """The resume key: what identifies a row of attacks.jsonl."""
    return tuple(row[name] for name in KEY)


def require_attack_rows(rows: Sequence[Row], path: Path, *, split: str = TEST) -> None:
    """Raise RunFolderError unless every row can be scored, is of the split and has a key of its own."""
    seen: set[tuple[object, ...]] = set()
    for number, row in enumerate(rows, start=1):
        require_types(row, _ATTACK_TYPES, path, number)
        for name in ("clean_counts", "heldout_counts", "adversarial_counts"):
            counts = row.get(name)
            if counts is not None and not _are_votes(counts, row["num_draws"], row["label"]):
                refuse(path, number, f"has {name} {counts!r}, expected {row['num_draws']} votes by class")
        if row.get("split", TEST) != split:
            refuse(path, number, f"is about {row.get('split', TEST)} images, expected {split} images")
        if row["batch_size"] < 1 or row["draw_chunk"] < 1:
            refuse(path, number, "has an empty batch")
        if not isinstance(row.get("compiled", False), bool):
            refuse(path, number, f"has compiled {row['compiled']!r}")
        rows_per_pass = row.get("rows_per_pass", 1)  # older rows have none
        if not isinstance(rows_per_pass, int) or rows_per_pass < 1:
            refuse(path, number, f"has rows_per_pass {rows_per_pass!r}")
        if row_key(row) in seen:
            refuse(path, number, "repeats an earlier row")
        seen.add(row_key(row))


def require_epoch_rows(rows: Sequence[Row], path: Path) -> None:
    """Raise RunFolderError unless every row describes an epoch."""
    for number, row in enumerate(rows, start=1):
        require_types(row, _EPOCH_TYPES, path, number)


def require_types(row: Row, types: dict[str, type | tuple[type, ...]], path: Path, number: int) -> None:
    """Raise RunFolderError unless a row has every field, of its type."""
    for name, kind in types.items():
        if name not in row:
            refuse(path, number, f"lacks {name!r}")
        if not isinstance(row[name], kind):
            refuse(path, number, f"has {name} {row[name]!r}")


def _are_votes(counts: object, num_draws: int, label: int) -> bool:
    if not isinstance(counts, list) or not all(isinstance(count, int) and count >= 0 for count in counts):
        return False
    return sum(counts) == num_draws > 0 and 0 <= label < len(counts)


def refuse(path: Path, number: int, reason: str) -> None:
    """Raise RunFolderError about a line."""
    raise RunFolderError(
        f"line {number} of {str(path)!r} {reason}; it is not a row of this version: remove it or restore "
        "the file"
    )
