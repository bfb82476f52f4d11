"""One HTML page that needs nothing else: no network, no script, no font."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from rsc_snn.report.cells import columns_of, group_starts, has_long_names, is_number, read_cell
from rsc_snn.report.chapters import Report
from rsc_snn.report.formats.base import AbstractFormat
from rsc_snn.report.formats.names import Names
from rsc_snn.report.pictures import shrink
from rsc_snn.report.wording import convert
from rsc_snn.runs.files import replace_text

_ROOT = Path(__file__).parents[1]
_MOST_BYTES = 3_500_000  # of pictures; base64 adds a third, and the page stays below 5 MB
_NUMBERED = re.compile(r"((?:Table|Figure) \d+):")
_NARROW = 420  # pictures up to this width fit a phone as they are


class HTML(AbstractFormat):
    """The page: readable on a phone, in the dark, aloud and on paper."""

    name = "html"
    ending = ".html"

    def write(self, report: Report, path: Path) -> None:
        """Write the page."""
        replace_text(path, html(report))


def html(report: Report) -> str:
    """Return the page as text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"words": _words, "base64": _base64}
    template = environment.from_string((_ROOT / "page.html.jinja").read_text(encoding="utf-8"))
    style = (_ROOT / "page.css").read_text(encoding="utf-8")
    return template.render(**_values(report), style=Markup(style), narrow=_NARROW)


def _values(report: Report) -> Mapping[str, Any]:
    pictures = [picture.png for _, section in report.sections() for picture in section.pictures]
    names = Names()
    for taken in ("content", "contents", "summary"):  # the page's own anchors
        names.of(taken)
    anchors = {id(part): names.of(part.title) for part in _parts(report)}
    return {
        "report": report,
        "names": names,
        "columns_of": columns_of,
        "group_starts": group_starts,
        "has_long_names": has_long_names,
        "is_number": is_number,
        "read_cell": read_cell,
        "png": dict(zip(pictures, shrink(pictures, _MOST_BYTES), strict=True)),
        "anchors": anchors,
        "jumps": _jumps(report, anchors),
        "id": id,
        "zip": zip,
    }


def _parts(report: Report) -> list[Any]:
    """Chapters and sections as they follow each other on the page."""
    return [
        part
        for chapter in report.chapters
        for part in (chapter, *(s for s in chapter.sections if s.title != chapter.title), *chapter.details)
    ]


def _jumps(report: Report, anchors: Mapping[int, str]) -> list[tuple[str, str]]:
    """Short names and anchors of the numbered tables and figures; none where there is only one."""
    found = [
        (named[1], anchors.get(id(section), anchors[id(chapter)]))
        for chapter, section in report.sections()
        if (named := _NUMBERED.match(section.title))
    ]
    return found if len(found) > 1 else []


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _words(text: str) -> Markup:
    """Escape text; what stands between backticks becomes code."""
    return Markup(
        convert(text, lambda words: str(escape(words)), lambda code: f"<code>{escape(code)}</code>")
    )
