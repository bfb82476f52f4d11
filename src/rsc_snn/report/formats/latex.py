r"""Tables for a paper: LaTeX with booktabs, to compile as it is or to copy from."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from rsc_snn.report.cells import Column, columns_of, group_starts, read_cell
from rsc_snn.report.chapters import Report
from rsc_snn.report.formats.base import AbstractFormat
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import Table
from rsc_snn.report.wording import convert
from rsc_snn.runs.files import replace_text

_PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage[margin=2cm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
% A table that is wider than the line, or higher than most of a page, is scaled down.
\newsavebox{\reportbox}
\newcommand{\fitted}[1]{\sbox{\reportbox}{#1}%
  \ifdim\wd\reportbox>\linewidth
    \sbox{\reportbox}{\resizebox{\linewidth}{!}{\usebox{\reportbox}}}\fi
  \ifdim\dimexpr\ht\reportbox+\dp\reportbox\relax>0.8\textheight
    \sbox{\reportbox}{\resizebox*{!}{0.8\textheight}{\usebox{\reportbox}}}\fi
  \usebox{\reportbox}}
\begin{document}
"""
_ENDING = "\\end{document}\n"
_ALIGNED = {"number": "r", "text": "l", "words": "p{6cm}"}
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
} | {character: f"\\{character}" for character in "%_&#${}"}
_BREAK = "\u200b"  # a place where a line may end
_SIGNS = {
    "\u2713": r"$\surd$",
    "\u2717": r"$\times$",
    "\u00d7": r"$\times$",
    "\u00b1": r"$\pm$",
    "\u2212": "$-$",
    "\u2264": r"$\leq$",
    "\u2265": r"$\geq$",
    "\u2248": r"$\approx$",
    "\u221e": r"$\infty$",
    "\u2192": r"$\rightarrow$",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2026": r"\ldots{}",
    "\u00b7": r"$\cdot$",
    "\u00b0": r"$^\circ$",
    "\u00b2": r"$^2$",
    "\u03b1": r"$\alpha$",
    "\u03b4": r"$\delta$",
    "\u03b5": r"$\varepsilon$",
    "\u03b7": r"$\eta$",
    "\u03bb": r"$\lambda$",
    "\u03bc": r"$\mu$",
    "\u00b5": r"$\mu$",
    "\u03c3": r"$\sigma$",
    "\u03a3": r"$\Sigma$",
    "\u2081": r"$_1$",
    "\u2082": r"$_2$",
    "\u00a0": "~",
    _BREAK: r"\allowbreak{}",
}
_SEPARATORS = re.compile(r"(?<=[/=,])(?=\w)")


class LaTeX(AbstractFormat):
    """One file with every table."""

    name = "latex"
    ending = ".tex"

    def write(self, report: Report, path: Path) -> None:
        """Write the document."""
        parts = [f"\\section*{{{escape(report.title)}}}", escape(report.about)]
        parts += [f"\\textbf{{Note.}} {escape(warning)}" for warning in report.warnings]
        for chapter in report.chapters:
            shown = [section for section in chapter.all_sections() if section.tables]
            if shown:
                parts += ["\\clearpage", f"\\section{{{escape(chapter.title)}}}", latex(shown)]
        replace_text(path, _PREAMBLE + "\n".join(parts) + "\n" + _ENDING)


def latex(sections: Sequence[Section]) -> str:
    """Return the tables of sections, each as a ``table`` that needs booktabs and the macro ``fitted``."""
    return "".join(latex_table(table) for section in sections for table in section.tables)


def latex_table(table: Table) -> str:
    r"""Return a table with booktabs' rules; a rule of its own stands before each group of rows."""
    columns = columns_of(table)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\small",
        rf"\caption{{{escape(table.title)}}}",
        rf"\fitted{{\begin{{tabular}}{{@{{}}{_alignment(columns)}@{{}}}}",
        r"\toprule",
        _row(escape(column.title) for column in columns),
        r"\midrule",
    ]
    for number, (row, begins) in enumerate(zip(table.rows, group_starts(table), strict=True)):
        lines += [r"\addlinespace"] if begins and number else []
        lines.append(_row(map(_cell, row)))
    lines += [r"\bottomrule", r"\end{tabular}}"]
    lines += [rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize {escape(note)}}}" for note in table.notes]
    return "\n".join([*lines, r"\end{table}", "\\clearpage" if len(table.rows) > 30 else "", ""])


def escape(text: str) -> str:
    r"""Return text that LaTeX prints as it stands; what it cannot print becomes letters or a code point."""
    return convert(" ".join(text.split()), _words, _code)


def _alignment(columns: Sequence[Column]) -> str:
    return "".join(_ALIGNED[column.kind] for column in columns)


def _row(cells: Iterable[str]) -> str:
    line = " & ".join(cells)
    guard = "{}" if line[:1] in ("[", "*") else ""  # or LaTeX takes it for an option of the line before
    return f"{guard}{line} \\\\"


def _cell(text: str) -> str:
    light = read_cell(text).light
    return (f"{_character(light.sign)} " if light else "") + escape(text)


def _code(code: str) -> str:
    return rf"\texttt{{{_words(_SEPARATORS.sub(_BREAK, code))}}}"


def _words(text: str) -> str:
    return "".join(map(_character, text)).replace("--", "-{}-").replace("--", "-{}-")


def _character(character: str) -> str:
    if character.isascii():
        return _ESCAPES.get(character, character if character.isprintable() else " ")
    if character in _SIGNS:
        return _SIGNS[character]
    if character.isalpha() and ord(character) < 0x180:  # letters of European languages, which T1 has
        return character
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(map(_character, letters)) or f"[U+{ord(character):04X}]"
