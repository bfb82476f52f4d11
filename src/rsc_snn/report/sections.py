"""What a page is made of: headings with words, tables and pictures. Needs no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rsc_snn.report.tables import Table


@dataclass(frozen=True)
class Picture:
    """A PNG with what a reader who cannot see it needs.

    Attributes:
        source: The file, or what draws it: a format without pictures draws none.
        alt: What it shows, in a sentence.
        caption: What to read from it, and what not.
        width: Largest width on the page, CSS pixels.
    """

    source: bytes | Callable[[], bytes]
    alt: str
    caption: str = ""
    width: int = 800

    @cached_property
    def png(self) -> bytes:
        """The file, drawn once."""
        return self.source if isinstance(self.source, bytes) else self.source()


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it.

    Attributes:
        title: The heading, such as "Table 3: white-box attacks".
        words: Paragraphs before the tables.
        tables: Shown in order.
        pictures: Shown after the tables.
        notes: Paragraphs in small print at the end.
    """

    title: str
    words: Sequence[str] = field(default_factory=tuple)
    tables: Sequence[Table] = field(default_factory=tuple)
    pictures: Sequence[Picture] = field(default_factory=tuple)
    notes: Sequence[str] = field(default_factory=tuple)
