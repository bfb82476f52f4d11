"""Tables in pages, from committed rows: what stands between two marks is made anew. Needs no torch.

A block is, each mark alone on its line,

    <!-- rows: KIND ARGS -->
    ...
    <!-- end -->

KIND ARGS are ``honest FOLDER... [best=RUN] [best100=RUN]`` (the one table of ``honest``; FOLDER are
reproductions, RUN is the run folder of the best network on CIFAR-10 and CIFAR-100) or ``FOLDER PLACE``
(words and tables of a place of a reproduction, as the report shows them). Folders are relative to the
working directory.

``python -m rsc_snn.report.reproduction.blocks PAGE...`` writes all pages, or none if something is wrong.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rsc_snn.errors import InputError, RunFolderError, UnknownNameError
from rsc_snn.paper import numbers
from rsc_snn.report.formats.markdown import tables_markdown
from rsc_snn.report.reproduction.honest import BEST, BEST_100, honest_table
from rsc_snn.report.reproduction.paper import PaperNumbers
from rsc_snn.report.reproduction.reading import Evidence, read_evidence
from rsc_snn.report.reproduction.sections import place_sections
from rsc_snn.runs.files import replace_text
from rsc_snn.runs.reproduction import PLAN

_START = re.compile(r"<!-- rows: (.*?) -->\s*\Z")
_END = "<!-- end -->"
_BEST = MappingProxyType({"best": BEST, "best100": BEST_100})
_EXPECTED = "expected 'honest FOLDER... [best=RUN] [best100=RUN]' or 'FOLDER PLACE'"
_Make = Callable[[Sequence[str], Path, PaperNumbers], str]


def with_blocks(page: str, root: Path = Path(), paper: PaperNumbers = numbers) -> str:
    """Return a page whose blocks are made anew; one without blocks comes back as it is.

    Args:
        page: Its text.
        root: What folders are relative to.
        paper: The numbers of the paper.

    Raises:
        InputError: a mark, a kind, a folder or a place is wrong.
    """
    kept: list[str] = []
    begun: str | None = None
    for number, line in enumerate(page.splitlines(keepends=True), start=1):
        start, is_end = _START.match(line), line.rstrip() == _END
        if is_end if begun is None else start:
            what = "an end without a start" if is_end else f"a start inside the block {begun!r}"
            raise InputError(f"line {number}: {what}; each block ends with {_END!r}")
        if begun is None or is_end:
            kept.append(line)
        if start:
            begun = start[1]
            kept.append(f"\n{_made(begun.split(), root, paper)}\n")
        elif is_end:
            begun = None
    if begun is not None:
        raise InputError(f"the block {begun!r} has no end; add a line {_END!r} below it")
    return "".join(kept)


def _made(words: Sequence[str], root: Path, paper: PaperNumbers) -> str:
    if not words:
        raise InputError(f"a block without a kind; {_EXPECTED}")
    return _KINDS.get(words[0], _place)(words, root, paper)


def _honest(words: Sequence[str], root: Path, paper: PaperNumbers) -> str:
    """The honest table of some reproductions."""
    given = [word.partition("=") for word in words[1:]]
    folders = [name for name, is_run, _ in given if not is_run]
    runs = {name: root / run for name, is_run, run in given if is_run}
    if not folders or not runs.keys() <= _BEST.keys() or len(folders) + len(runs) < len(given):
        raise InputError(f"{' '.join(words)!r}: {_EXPECTED}")
    best = {_BEST[name]: run for name, run in runs.items()}
    return tables_markdown([], [honest_table([_evidence(root / folder) for folder in folders], best, paper)])


def _place(words: Sequence[str], root: Path, paper: PaperNumbers) -> str:
    """Words and tables of a place of a reproduction."""
    if len(words) != 2:
        raise InputError(f"{' '.join(words)!r}: {_EXPECTED}")
    sections = place_sections(_evidence(root / words[0]), paper)
    if words[1] not in sections:
        raise UnknownNameError(f"place in {words[0]!r}:", words[1], sections)
    section = sections[words[1]]
    return tables_markdown(section.words, section.tables, section.notes)


def _evidence(folder: Path) -> Evidence:
    found = read_evidence(folder)
    if found is None:
        raise RunFolderError(f"no {PLAN} in {str(folder)!r}; give a folder that 'rsc-snn reproduce' wrote")
    return found


_KINDS: Mapping[str, _Make] = MappingProxyType({"honest": _honest})


def main(arguments: Sequence[str]) -> int:
    """Make the blocks of pages anew; return the exit status, 2 where something is wrong.

    Args:
        arguments: The pages.
    """
    try:
        if not arguments:
            raise InputError("no page; give the Markdown files whose blocks are to be made")
        _pages(arguments)
    except InputError as err:
        print(" ".join(str(err).split()), file=sys.stderr)
        return 2
    return 0


def _pages(names: Sequence[str]) -> None:
    """Make all pages anew, or none.

    Raises:
        InputError: a page is wrong, or cannot be read or written.
    """
    before = {page: _read(page) for page in map(Path, names)}
    made = {page: _made_anew(page, text) for page, text in before.items()}
    written: list[Path] = []
    for page, text in made.items():
        try:
            replace_text(page, text)
        except OSError as err:
            for earlier in written:
                replace_text(earlier, before[earlier])
            raise InputError(f"cannot write {str(page)!r}: {err.strerror}; no page was changed") from err
        written.append(page)


def _read(page: Path) -> str:
    try:
        return page.read_bytes().decode()
    except OSError as err:
        raise InputError(f"cannot read {str(page)!r}: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise InputError(f"{str(page)!r} is not UTF-8 text; save it as that") from err


def _made_anew(page: Path, text: str) -> str:
    try:
        return with_blocks(text)
    except InputError as err:
        raise InputError(f"{str(page)!r}: {err}") from err


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
