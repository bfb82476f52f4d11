"""What a format writes: a report of chapters of sections. Needs no torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsc_snn.report.sections import Section


@dataclass(frozen=True)
class Chapter:
    """Sections that belong together.

    Attributes:
        title: The heading above them.
        sections: In order.
        details: More sections, of which the page shows only the titles until a reader opens them.
    """

    title: str
    sections: Sequence[Section]
    details: Sequence[Section] = ()

    def all_sections(self) -> list[Section]:
        """Sections and details; a chapter without any is left out of a report."""
        return [*self.sections, *self.details]


@dataclass(frozen=True)
class Report:
    """Everything that a format writes.

    Attributes:
        title: The only heading of the first rank.
        about: One line: what this is.
        warnings: What a reader must know before any number.
        facts: Pairs of a name and what there is of it.
        chapters: In order.
    """

    title: str
    about: str
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]
    chapters: Sequence[Chapter]

    def sections(self) -> Iterator[tuple[Chapter, Section]]:
        """Every section with its chapter."""
        return ((chapter, section) for chapter in self.chapters for section in chapter.all_sections())
