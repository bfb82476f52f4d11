"""The part of a report that sets a reproduction beside the paper: from rows to sections. Needs no torch."""

from rsc_snn.report.reproduction.document import reproduction_markdown
from rsc_snn.report.reproduction.sections import reproduction_sections

__all__ = ["reproduction_markdown", "reproduction_sections"]
