"""What a format of a report is."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from rsc_snn.report.chapters import Report


class AbstractFormat(ABC):
    """Writes a report to a file or a folder.

    Attributes:
        name: What people call it, lower case.
        ending: What is put after the name of the report, such as ".html".
    """

    name: ClassVar[str]
    ending: ClassVar[str]

    @abstractmethod
    def write(self, report: Report, path: Path) -> None:
        """Write the report to ``path``; the folder that holds it exists."""
