"""Writing without half-written files: replace atomically, or append and flush. Needs no torch."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rsc_snn.errors import RunFolderError

Row = dict[str, Any]


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, flush it to the disk and rename it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    replace_file(path, lambda temporary: _write_text(temporary, text))


def append_rows(path: Path, rows: Iterable[Row]) -> None:
    """Append JSON lines in one write and flush them to the disk."""
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        data = text.encode()
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a file of JSON lines atomically."""
    replace_text(
        path, "".join(json.dumps(row, separators=(",", ":"), allow_nan=False) + "\n" for row in rows)
    )


def read_rows(path: Path) -> list[Row]:
    """Return the complete rows of a file; none if it does not exist. An unfinished last line is left out.

    Raises:
        RunFolderError: a complete line is not a JSON object.
    """
    return [row for _, row in _complete_rows(path)]


def cut_rows(path: Path, keep: Callable[[Row], bool] = lambda row: True) -> list[Row]:
    """Remove the unfinished last line and every row that ``keep`` refuses; return what is left."""
    if not path.exists():
        return []
    kept = [(line, row) for line, row in _complete_rows(path) if keep(row)]
    text = "".join(line for line, _ in kept)
    if text.encode() != path.read_bytes():
        replace_text(path, text)
    return [row for _, row in kept]


def read_environments(path: Path) -> list[dict[str, Any]]:
    """Return the entries of environment.json; none if it does not exist.

    Raises:
        RunFolderError: it is not a list of entries.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (json.JSONDecodeError, UnicodeDecodeError):
        entries = None
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise RunFolderError(f"{str(path)!r} is not a JSON list of entries; restore it or remove it")
    return entries


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and {"command", "device", "packages"} <= entry.keys()


def _complete_rows(path: Path) -> Iterator[tuple[str, Row]]:
    if not path.exists():
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                return  # cut by a crash while it was written
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                row = None
            if not isinstance(row, dict):
                raise RunFolderError(
                    f"line {number} of {str(path)!r} is not a JSON object; remove it or restore the file"
                )
            yield line, row


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
