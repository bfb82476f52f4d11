"""A reproduction as a page of the docs, from its committed rows. Needs no torch."""

from pathlib import Path

from rsc_snn.errors import RunFolderError
from rsc_snn.paper import numbers
from rsc_snn.report.formats.markdown import markdown
from rsc_snn.report.reproduction.paper import PaperNumbers
from rsc_snn.report.reproduction.sections import reproduction_sections
from rsc_snn.runs.reproduction import PLAN


def reproduction_markdown(folder: Path, paper: PaperNumbers = numbers) -> str:
    """Return the sections of a reproduction as Markdown, headings of the second rank; no pictures.

    Args:
        folder: DIR, which ``rsc-snn reproduce`` wrote.
        paper: The numbers of the paper.

    Raises:
        RunFolderError: there is no reproduction, or a file is damaged or of another version.
    """
    sections = reproduction_sections(folder, paper)
    if sections is None:
        raise RunFolderError(f"no {PLAN} in {str(folder)!r}; give a folder that 'rsc-snn reproduce' wrote")
    return markdown(sections)
