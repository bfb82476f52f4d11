"""Working on a network of the zoo: in a copy, since rows go into the run folder. Needs no torch."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.folder import LOCK, RunFolder
from rsc_snn.runs.zoo import checksum_of, checksums, find_run, is_of_zoo

_RUNS = Path("runs")


@contextlib.contextmanager
def opened(*references: Path) -> Iterator[list[Path]]:
    """Give folders that may be written to: of a path itself, of a name of the zoo a copy in runs/zoo-NAME.

    Nothing is copied before every reference is known. If the work fails before anything was written, the
    copies that were made for it are removed, but for one that another process is working in.

    Raises:
        RunFolderError: an unknown name, a damaged entry, or runs/zoo-NAME is there and is another run.
    """
    found = [find_run(reference) for reference in references]
    places = [place_of(path) for path in found]
    made: dict[Path, Path] = {}
    had_runs = _RUNS.exists()
    try:
        for path, place in zip(found, places, strict=True):
            if is_of_zoo(path) and not place.exists() and _copy(path, place):
                made[place] = path
        yield places
    except BaseException:
        for place, entry in made.items():
            _remove_if_untouched(place, entry)
        if not had_runs:
            with contextlib.suppress(OSError):  # it is not empty, or was never made
                _RUNS.rmdir()
        raise


def readable(reference: Path) -> Path:
    """Return a folder to read from: of a name of the zoo the copy, if there is one, else the entry itself."""
    path = find_run(reference)
    place = place_of(path)
    return place if place.exists() else path


def place_of(path: Path) -> Path:
    """Return the folder to work in: runs/zoo-NAME for an entry of the zoo, else the path itself.

    Raises:
        RunFolderError: runs/zoo-NAME is there and holds something else.
    """
    if not is_of_zoo(path):
        return path
    place = _RUNS / f"zoo-{path.name}"
    if place.exists():
        _require_copy(place, path)
    return place


def _require_copy(place: Path, entry: Path) -> None:
    """The weights and what says how they came about must be those of the entry; rows are added to a copy."""
    folder = RunFolder(entry)
    for name in (folder.spec.name, folder.weights.name):
        if not (place / name).is_file() or checksum_of(place / name) != checksums(entry)[name]:
            raise RunFolderError(
                f"{str(place)!r} is there and is not the network of the zoo ({name} differs); give that path "
                "if you mean it, or move it away"
            )


def _copy(entry: Path, place: Path) -> bool:
    """Copy an entry as a whole; return whether it was this process that made the copy."""
    temporary = place.with_name(f".{place.name}.{os.getpid()}.part")
    temporary.mkdir(parents=True)
    try:
        for name in checksums(entry):
            shutil.copyfile(entry / name, temporary / name)
        temporary.rename(place)
    except OSError:
        if not place.exists():
            raise
        _require_copy(place, entry)  # another process was faster
        return False
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def _remove_if_untouched(place: Path, entry: Path) -> None:
    """Remove a copy while holding it, so that nobody begins to write in between."""
    with contextlib.suppress(RunFolderError), RunFolder(place).locked():  # another process may hold it
        if _is_untouched(place, entry):
            shutil.rmtree(place)


def _is_untouched(place: Path, entry: Path) -> bool:
    known = checksums(entry)
    files = {path.name for path in place.iterdir()} - {LOCK}
    return files == known.keys() and all(checksum_of(place / name) == known[name] for name in known)
