"""Markdown with GitHub's tables, and the pictures as files beside it."""

import re
from collections.abc import Sequence
from pathlib import Path

from rsc_snn.report.cells import columns_of, read_cell
from rsc_snn.report.chapters import Report
from rsc_snn.report.curves import write_picture
from rsc_snn.report.formats.base import AbstractFormat
from rsc_snn.report.formats.names import Names
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table
from rsc_snn.report.wording import convert
from rsc_snn.runs.files import replace_text

_RULES = {"number": "---:", "text": "---", "words": "---"}
_SPECIAL = re.compile(r"[\\*|<`#]|(?<!\w)_|_(?!\w)|(?<=\])\(|~(?=~)")
_LIST_OR_RULE = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


class Markdown(AbstractFormat):
    """For a README, an issue or a wiki."""

    name = "markdown"
    ending = ".md"

    def write(self, report: Report, path: Path) -> None:
        """Write the text, and its pictures to a folder beside it."""
        folder = path.with_name(f"{path.stem}-pictures")
        names = Names()
        pictures: dict[int, str] = {}
        for _, section in report.sections():
            for picture in section.pictures:
                name = f"{names.of(section.title)}.png"
                write_picture(folder / name, picture.png)
                pictures[id(picture)] = f"{folder.name}/{name}"
        blocks = [f"# {_words(report.title)}", _words(report.about)]
        blocks += [f"> **Note.** {_words(warning)}" for warning in report.warnings]
        blocks += ["\n".join(f"- {_words(name)}: {_words(value)}" for name, value in report.facts)]
        for chapter in report.chapters:
            blocks += [f"## {_words(chapter.title)}", *_blocks(chapter.all_sections(), 3, pictures)]
        replace_text(path, "\n\n".join(filter(None, blocks)) + "\n")


def markdown(sections: Sequence[Section], *, level: int = 2) -> str:
    """Return sections as Markdown; of a picture, only what it shows in words.

    Args:
        sections: In order.
        level: Rank of their headings.
    """
    return "\n\n".join(_blocks(sections, level, {})) + "\n"


def markdown_table(table: Table) -> str:
    """Return the table alone, without title and notes."""
    heads = [_cell(column) for column in table.columns]
    rules = [_RULES[column.kind] for column in columns_of(table)]
    lines = [heads, rules, *([_cell(cell) for cell in row] for row in table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables_markdown(words: Sequence[str], tables: Sequence[Table], notes: Sequence[str] = ()) -> str:
    """Return titled tables with their notes between paragraphs, without a heading."""
    blocks = [*map(_paragraph, words)]
    for table in tables:
        blocks += _table(table, is_titled=True)
    return "\n\n".join([*blocks, *map(_paragraph, notes)]) + "\n"


def _table(table: Table, *, is_titled: bool) -> list[str]:
    titled = [f"**{_words(table.title)}**"] if is_titled else []
    return [*titled, markdown_table(table), *map(_paragraph, table.notes)]


def _blocks(sections: Sequence[Section], level: int, pictures: dict[int, str]) -> list[str]:
    blocks: list[str] = []
    for section in sections:
        blocks += [f"{'#' * level} {_words(section.title)}", *map(_paragraph, section.words)]
        for table in section.tables:
            blocks += _table(table, is_titled=table.title != section.title)
        for picture in section.pictures:
            blocks += _picture(picture, pictures.get(id(picture)))
        blocks += map(_paragraph, section.notes)
    return blocks


def _picture(picture: Picture, path: str | None) -> list[str]:
    alt = _words(picture.alt).replace("[", "\\[").replace("]", "\\]")
    shown = f"![{alt}]({path})" if path else f"*Picture: {alt}*"
    return [shown, *([_paragraph(picture.caption)] if picture.caption else [])]


def _paragraph(text: str) -> str:
    return _LIST_OR_RULE.sub(r"\1\\\2", _words(" ".join(text.split())))


def _cell(text: str) -> str:
    light = read_cell(text).light
    words = convert(" ".join(text.split()), _escape, lambda code: f"`{code}`".replace("|", "\\|"))
    return f"{light.sign} {words}" if light else words


def _words(text: str) -> str:
    return convert(text, _escape, lambda code: f"`{code}`")


def _escape(words: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", words)
