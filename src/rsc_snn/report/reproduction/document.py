"""Reproductions as a page of the docs, from their committed rows. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.paper import numbers
from rsc_snn.report.formats.markdown import markdown
from rsc_snn.report.reproduction.paper import PaperNumbers
from rsc_snn.report.reproduction.sections import reproduction_sections
from rsc_snn.runs.reproduction import PLAN

MARK = "<!-- What follows is made from committed rows: python -m rsc_snn.report.reproduction -->\n"
_RANK = 3


def reproduction_markdown(folder: Path, paper: PaperNumbers = numbers) -> str:
    """Return the sections of a reproduction as Markdown, headings of the third rank; no pictures.

    Args:
        folder: DIR, which ``rsc-snn reproduce`` wrote.
        paper: The numbers of the paper.

    Raises:
        RunFolderError: there is no reproduction, or a file is damaged or of another version.
    """
    sections = reproduction_sections(folder, paper)
    if sections is None:
        raise RunFolderError(f"no {PLAN} in {str(folder)!r}; give a folder that 'rsc-snn reproduce' wrote")
    return markdown(sections, level=_RANK)


def with_rows(page: str, folders: Sequence[Path]) -> str:
    """Return a page whose part below the mark is made anew, a chapter for each folder.

    Args:
        page: Text with the line ``MARK``; what stands above it stays.
        folders: Reproductions, in order.

    Raises:
        InputError: the page has no mark.
    """
    above, mark, _ = page.partition(MARK)
    if not mark:
        raise InputError(f"the page has no line {MARK.strip()!r}; add it where the tables should begin")
    chapters = [f"## {folder.name}\n\n{reproduction_markdown(folder).strip()}\n" for folder in folders]
    return above + mark + "\n" + "\n".join(chapters)
