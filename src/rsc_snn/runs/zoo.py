"""The zoo: trained networks inside the package, found by looking at its folders. Needs no torch."""

import difflib
import hashlib
import os
from pathlib import Path

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.folder import RunFolder

ZOO = Path(__file__).resolve().parents[1] / "zoo"
SUMS = "SHA256SUMS"  # of every file of every entry; `sha256sum --check` reads it
CARD = "README.md"
_NEAREST = 3


def entries() -> dict[str, Path]:
    """Return the folder of each network by its name, in the order of names."""
    return {path.name: path for path in sorted(ZOO.iterdir()) if RunFolder(path).exists()}


def find_run(reference: str | Path) -> Path:
    """Return the folder that a path, or the name of a network of the zoo, stands for.

    What holds a separator or exists is a path; any other word is a name.

    Raises:
        RunFolderError: no network of the zoo has that name, or its files are not those that were added.
    """
    path = Path(reference)
    if path.exists() or any(mark in str(reference) for mark in (os.sep, os.altsep) if mark):
        if is_of_zoo(path):
            require_intact(path)
        return path
    known = entries()
    if path.name not in known:
        near = difflib.get_close_matches(path.name, known, n=_NEAREST, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(known)}"
        raise RunFolderError(f"{path.name!r} is not a run folder, and not a name of the zoo; {hint}")
    require_intact(known[path.name])
    return known[path.name]


def is_of_zoo(path: Path) -> bool:
    """Whether a path is the folder of an entry."""
    return path.resolve().parent == ZOO and RunFolder(path).exists()


def require_intact(entry: Path) -> None:
    """Raise RunFolderError unless every file of an entry has the checksum that it had when it was added."""
    folder, known = RunFolder(entry), checksums(entry)
    for needed in (folder.spec.name, folder.environment.name, folder.weights.name):
        if needed not in known:
            raise RunFolderError(f"{str(ZOO / SUMS)!r} lacks '{entry.name}/{needed}'; install rsc-snn again")
    for name, checksum in known.items():
        path = entry / name
        if not path.is_file() or checksum_of(path) != checksum:
            state = "has another checksum than" if path.is_file() else "is missing, it is in"
            raise RunFolderError(f"{str(path)!r} {state} {SUMS}; install rsc-snn again")


def checksums(entry: Path) -> dict[str, str]:
    """Return what SHA256SUMS says of an entry's files, by their name.

    Raises:
        RunFolderError: the file is missing or is no such list.
    """
    path = entry.parent / SUMS
    try:
        lines = [line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines()]
        found = {name.partition("/"): checksum for checksum, name in lines}
    except (OSError, ValueError) as err:
        raise RunFolderError(f"{str(path)!r} is not a list of checksums; install rsc-snn again") from err
    return {name: checksum for (folder, _, name), checksum in found.items() if folder == entry.name}


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
