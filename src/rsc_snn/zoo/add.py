"""Adding a measured, reduced run to the zoo: its files, its card and its checksums."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation.images import test_images
from rsc_snn.evaluation.run import subject_of
from rsc_snn.report.card import Measured, Weights, card
from rsc_snn.report.tables import PAPER
from rsc_snn.runs import zoo
from rsc_snn.runs.files import read_environments, replace_text
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reduction import FACT, is_reduced, without_places
from rsc_snn.runs.storage import load

LARGEST = 16_000_000  # bytes of an entry
_MOST_TRAINING = 200_000  # bytes of training.jsonl that an entry may hold
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def add(run: Path, name: str, rows_at: Path, *, data_root: Path | None = None) -> Path:
    """Make an entry of a reduced run, and put its rows beside; return the entry's folder.

    Args:
        run: Folder that ``reduce_run`` made and that was measured since.
        name: What ``rs.load`` shall call it.
        rows_at: Folder of the checkout, as seen from there, such as results/2026-11-23-zoo-cpu; gets NAME.
        data_root: See ``rs.data.load``: the first test image tells whether rows are of these weights.

    Raises:
        InputError: the name or place is bad, or the entry would be too large.
        RunFolderError: the run is not reduced, or its rows are missing or of other weights.
    """
    source = RunFolder(run)
    _require_names(name, rows_at)
    load(run)  # whole, and of its run.yaml
    if not is_reduced(source):
        raise RunFolderError(f"{str(run)!r} is not reduced; start with python -m rsc_snn.zoo reduce RUN OUT")
    measured = Measured.of(source)
    _require_rows(source, measured, subject_of(source, test_images(source, data_root, 1)))
    entry, rows = zoo.ZOO / name, rows_at / name
    for place in (entry, rows):
        if place.exists():
            raise RunFolderError(f"{str(place)!r} is there already; remove it first")
    files = [path for path in (source.spec, source.weights, source.training) if _is_kept(path, source)]
    if (size := sum(path.stat().st_size for path in files)) > LARGEST:
        raise InputError(f"{name!r} would have {size / 1e6:.1f} MB, expected at most {LARGEST / 1e6:g} MB")
    _copy_rows(source, RunFolder(rows))
    entry.mkdir()
    for path in files:
        shutil.copyfile(path, entry / path.name)
    _write_environments(RunFolder(entry).environment, _until_reduced(source))
    refresh(name, rows_at)
    return entry


def refresh(name: str, rows_at: Path) -> None:
    """Write the card of an entry from its rows again, and the checksums of its files."""
    entry = zoo.ZOO / name
    replace_text(entry / zoo.CARD, written_card(name, rows_at))
    own = {path.name: zoo.checksum_of(path) for path in sorted(entry.iterdir()) if path.name[0] != "."}
    sums = zoo.ZOO / zoo.SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    others = [line for line in lines if not line.split("  ", 1)[1].startswith(f"{name}/")]
    lines = [*others, *(f"{checksum}  {name}/{file}" for file, checksum in own.items())]
    replace_text(
        sums, "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line.split("  ", 1)[1]))
    )


def written_card(name: str, rows_at: Path) -> str:
    """Return the card that the rows in ``rows_at``/NAME give to an entry."""
    weights, rows = RunFolder(zoo.ZOO / name).weights, rows_at / name
    about = Weights(checksum=zoo.checksum_of(weights), num_bytes=weights.stat().st_size)
    return card(name, Measured.of(RunFolder(rows)), about, rows_at=f"results/{rows_at.name}/{name}")


def _require_names(name: str, rows_at: Path) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f"NAME takes letters, digits, '.', '_' and '-', got {name!r}")
    if rows_at.parent.name != "results":
        raise InputError(
            f"--rows expects a folder in results, such as results/2026-zoo, got {str(rows_at)!r}"
        )


def _require_rows(folder: RunFolder, measured: Measured, subject: str) -> None:
    """There must be rows of the suite "paper", and every row must be of these weights."""
    if not any(row["suite"] == PAPER for row in measured.attacks):
        raise RunFolderError(
            f"{str(folder.path)!r} has no rows of suite paper; make them with rsc-snn attack"
        )
    for rows in (measured.attacks, measured.certificates, measured.audit):
        if any(row.get("subject") != subject for row in rows):
            raise RunFolderError(
                f"{str(folder.path)!r} holds rows of other weights or other test images; measure it again"
            )


def _is_kept(path: Path, folder: RunFolder) -> bool:
    """Of the files of an entry, the training rows may be missing: those of a long training are left out."""
    return path != folder.training or (path.is_file() and path.stat().st_size <= _MOST_TRAINING)


def _copy_rows(source: RunFolder, target: RunFolder) -> None:
    """Copy everything but weights and pictures to where results are kept, without paths of this machine."""
    target.path.mkdir(parents=True)
    for path in (source.training, source.attacks, source.certificates, source.audit, source.time_average):
        if path.is_file():
            shutil.copyfile(path, target.path / path.name)
    target.write_spec(without_places(source.read_spec()))
    _write_environments(target.environment, read_environments(source.environment))


def _until_reduced(source: RunFolder) -> list[dict[str, Any]]:
    """What the entry itself came from; what measured it stands beside the rows."""
    entries = read_environments(source.environment)
    last = max(number for number, entry in enumerate(entries) if FACT in entry)
    return entries[: last + 1]


def _write_environments(path: Path, entries: list[dict[str, Any]]) -> None:
    replace_text(path, json.dumps(without_places(entries), indent=1) + "\n")
