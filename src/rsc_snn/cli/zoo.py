"""What ``rsc-snn list zoo`` shows. Needs no torch."""

from collections.abc import Callable
from pathlib import Path

from rsc_snn.report.card import clean_words
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.zoo import CARD, entries

Lines = list[tuple[str, str]]


def _zoo() -> Lines:
    return [(name, _describe(path)) for name, path in entries().items()]


def _describe(path: Path) -> str:
    """Data set, size of the weights, and what the card says of clean images."""
    folder = RunFolder(path)
    size = f"{folder.weights.stat().st_size / 1e6:.2f} MB"
    return (
        f"{folder.read_spec().get('data')}, {size}, {clean_words((path / CARD).read_text(encoding='utf-8'))}"
    )


LISTS: dict[str, Callable[[], Lines]] = {"zoo": _zoo}
"""The networks of the zoo: (name, data set, size and clean accuracy)."""
