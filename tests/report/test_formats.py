"""The formats of a report, each read back by a parser that is not ours where there is one."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image

from rsc_snn.cli.app import main
from rsc_snn.errors import UnknownNameError
from rsc_snn.report.cells import Cell, columns_of, group_starts, has_long_names, read_cell
from rsc_snn.report.chapters import Chapter
from rsc_snn.report.contents import report_of
from rsc_snn.report.formats import format_named, formats
from rsc_snn.report.formats.csv import CSV, csv_table
from rsc_snn.report.formats.html import html
from rsc_snn.report.formats.latex import LaTeX, escape, latex_table
from rsc_snn.report.formats.markdown import Markdown, markdown
from rsc_snn.report.formats.names import Names
from rsc_snn.report.page import write_report
from rsc_snn.report.pictures import shrink
from rsc_snn.report.reported import read_folder
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table
from rsc_snn.runs.files import append_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import STATES, Reproduction, Task
from tests.report.sample import CHECKS, COMMANDS, COMPARED, ODD, png, report

PARSER = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("83.4 [74.8, 89.4]", Cell("83.4", interval="[74.8, 89.4]")),
        ("-1.0 [-8.6, 6.0]", Cell("-1.0", interval="[-8.6, 6.0]")),
        ("pass", Cell("", verdict="pass")),
        ("not reproduced", Cell("", verdict="not reproduced")),
        ("no verdict: smoke", Cell(": smoke", verdict="no verdict")),
        ("fail: a (8 images)", Cell(": a (8 images)", verdict="fail")),
        ("passable", Cell("passable")),
        ("warn me", Cell("warn me")),
        ("list [1, 2]", Cell("list [1, 2]")),
    ],
)
def test_a_cell_is_taken_apart(text: str, expected: Cell) -> None:
    assert read_cell(text) == expected
    assert expected.verdict + expected.text + (f" {expected.interval}" if expected.interval else "") == text


def test_columns_are_set_by_what_stands_in_them() -> None:
    kinds = [column.kind for column in columns_of(COMPARED)]
    assert kinds == ["text", "text", "number", "number", "number", "text"]
    assert [column.kind for column in columns_of(CHECKS)] == ["text", "text", "words"]
    assert group_starts(COMPARED) == [True, False, True, False]
    assert not any(group_starts(CHECKS)), "no two rows share a name"
    assert not any(group_starts(Table("empty", ("a",), [])))
    assert [has_long_names(table) for table in (COMPARED, CHECKS)] == [False, True]
    lost = [["x", "80.3 (derived)"], ["y", "lost"], ["z", "lost"], ["u", "lost"], ["v", "1.0 [0.9, 1.1]"]]
    assert [column.kind for column in columns_of(Table("lost", ("a", "b"), lost))] == ["text", "number"]
    nothing = Table("nothing", ("a", "b"), [["x", "-"], ["y", ""]])
    assert [column.kind for column in columns_of(nothing)] == ["text", "number"]


class Outline(HTMLParser):
    """Ids, ranks of headings, where links lead, and what pictures and tables are called."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.ranks: list[int] = []
        self.links: list[str] = []
        self.alts: list[str | None] = []
        self.labels: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.ranks += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.links += [found["href"] or ""] if tag == "a" else []
        self.alts += [found.get("alt")] if tag == "img" else []
        self.labels += [found.get("aria-labelledby")] if tag == "table" else []

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_one_title_and_headings_in_order() -> None:
    outline = Outline()
    outline.feed(html(report()))
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.ranks.count(1) == 1
    assert outline.ranks[0] == 1
    assert all(after - before <= 1 for before, after in zip(outline.ranks, outline.ranks[1:], strict=False))
    assert {link[1:] for link in outline.links} <= set(outline.ids), "every link leads somewhere"
    assert "#table-3-white-box-attacks" not in outline.links or "table-3-white-box-attacks" in outline.ids
    assert outline.alts == ["Two curves that fall.", "Small."]
    assert len(outline.labels) == 5
    assert all(label in outline.ids for label in outline.labels)
    assert ODD in outline.text, "escaped, and nothing lost"


def test_a_verdict_is_a_word_and_a_sign() -> None:
    text = html(report())
    assert '<span class="light bad"><span aria-hidden="true">\u2717</span> not reproduced</span>' in text
    assert '<span class="light open"><span aria-hidden="true">?</span> no verdict</span>: no row' in text
    assert '82.4 <span class="interval">[74.8, 89.4]</span>' in text
    assert "<code>rsc-snn train a --set &#39;x=a|b&#39; --out DIR</code>" in text


def cells_of(text: str) -> list[list[list[str]]]:
    """Every table of a Markdown text, as CommonMark with tables reads it: rows of cells of plain text."""
    tables: list[list[list[str]]] = []
    for token in PARSER.parse(text):
        if token.type == "table_open":
            tables.append([])
        if token.type == "tr_open":
            tables[-1].append([])
        if token.type == "inline" and tables and token.level > 3:
            tables[-1][-1].append("".join(child.content for child in token.children or ()))
    return tables


def test_markdown_reads_back() -> None:
    text = markdown(
        [Section("One", [ODD], [CHECKS, COMMANDS], [Picture(png(), "Seen.", "Said.")], ["1. no"])]
    )
    checks, commands = cells_of(text)
    assert checks[0] == list(CHECKS.columns)
    assert [row[2] for row in checks[1:]] == [row[2] for row in CHECKS.rows]
    assert [row[1] for row in checks[1:]] == ["\u2713 pass", "! warn", "\u2717 fail", "not applicable"]
    assert commands[1] == ["a", "rsc-snn train a --set 'x=a|b' --out DIR"]
    tokens = PARSER.parse(text)
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h2"]
    paragraphs = [
        "".join(c.content for c in token.children or ()) for token in tokens if token.type == "inline"
    ]
    assert ODD in paragraphs
    assert "Picture: Seen." in paragraphs
    assert not any(token.type.endswith("list_open") for token in tokens), "a note is no list"


def test_markdown_has_its_pictures_beside_it(tmp_path: Path) -> None:
    Markdown().write(report(), tmp_path / "report.md")
    images = [
        child
        for token in PARSER.parse((tmp_path / "report.md").read_text(encoding="utf-8"))
        for child in token.children or ()
        if child.type == "image"
    ]
    assert [child.content for child in images] == ["Two curves that fall.", "Small."]
    assert all((tmp_path / str(child.attrs["src"])).read_bytes() == png() for child in images)


def test_csv_reads_back_with_intervals_in_columns_of_their_own() -> None:
    head, *lines = csv.reader(io.StringIO(csv_table(COMPARED)))
    assert head[2:8] == [
        "paper",
        "measured %",
        "measured % low",
        "measured % high",
        "difference",
        "difference low",
    ]
    assert lines[0][3:6] == ["82.4", "74.8", "89.4"]
    assert lines[3][2:8] == [""] * 6
    assert lines[3][-1] == "no verdict: no row"
    assert list(csv.reader(io.StringIO(csv_table(CHECKS))))[3][2] == ODD
    assert "rsc-snn train a --set 'x=a|b'" in csv_table(COMMANDS)


def test_a_folder_of_csv_holds_this_report_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    CSV().write(report(), folder)
    (folder / "mine.csv").write_text("kept")
    index = list(csv.DictReader(io.StringIO((folder / "index.csv").read_text(encoding="utf-8"))))
    assert [line["file"] for line in index][:2] == ["table-3-white-box-attacks.csv", "checks.csv"]
    assert index[0]["notes"] == COMPARED.notes[0]
    assert {line["file"] for line in index} | {"index.csv", "mine.csv"} == {f.name for f in folder.iterdir()}
    (folder / "index.csv").write_text("file\nchecks.csv\n../precious.csv\n")
    (tmp_path / "precious.csv").write_text("not ours")
    few = report()
    CSV().write(type(few)(few.title, few.about, (), (), few.chapters[:1]), folder)
    assert not (folder / "checks.csv").exists()
    assert (folder / "mine.csv").exists()
    assert (tmp_path / "precious.csv").exists()


def test_latex_prints_what_stands_there() -> None:
    assert escape("5 % & #1 $x_1$ {y}") == r"5 \% \& \#1 \$x\_1\$ \{y\}"
    assert escape("\\ ~ ^ | < >") == (
        r"\textbackslash{} \textasciitilde{} \textasciicircum{} \textbar{} \textless{} \textgreater{}"
    )
    assert escape("---") == "-{}-{}-"
    assert escape("\u2713 \u2717 \u03c3\u00b2 \u2264 caf\u00e9 \u2014") == (
        "$\\surd$ $\\times$ $\\sigma$$^2$ $\\leq$ caf\u00e9 \\textemdash{}"
    )
    assert escape("\uff21\ufb01 \u2603 \U0001f600") == "Afi [U+2603] [U+1F600]"
    assert escape("run `a_b --c`") == r"run \texttt{a\_b -{}-c}"
    assert escape("a\nb\tc") == "a b c"


def test_latex_has_booktabs_and_as_many_cells_as_columns() -> None:
    text = latex_table(Table("T", ("a", "b"), [["[x]", "1 & 2"], ["*", "50 %"]], ["n_1"]))
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1
    assert "{}[x] & 1 \\& 2 \\\\" in text, "a row that begins with a bracket is no option"
    assert "{}* & 50 \\% \\\\" in text
    assert r"\footnotesize n\_1" in text
    assert "{@{}llllrl@{}}" not in text
    lines = latex_table(COMPARED).splitlines()
    assert r"\fitted{\begin{tabular}{@{}llrrrl@{}}" in lines
    assert lines.count(r"\addlinespace") == 1, "between the two data sets"
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    assert r"$\times$ not reproduced \\" in rows[3]


def test_the_latex_document_is_balanced(tmp_path: Path) -> None:
    LaTeX().write(report(), tmp_path / "report.tex")
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    open_now: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            open_now.append(name)
        else:
            assert open_now.pop() == name
    assert open_now == []
    bare = re.sub(r"\\.", "", text)
    assert bare.count("{") == bare.count("}")
    body = bare.split("document}")[1]
    assert "#" not in body
    assert "_" not in body
    assert "%" not in body, "nothing is commented out"
    assert text.count(r"\begin{table}") == 5


def test_names_are_unique_and_plain() -> None:
    names = Names()
    assert [names.of(t) for t in ("A: b/c", "A b c", "\u00e9", "A b c")] == [
        "a-b-c",
        "a-b-c-2",
        "part",
        "a-b-c-3",
    ]


def test_too_many_pictures_are_made_lighter() -> None:
    file = io.BytesIO()
    Image.effect_noise((400, 300), 80).convert("RGB").save(file, "png")
    noise = file.getvalue()
    assert shrink([noise, png()], 10**6) == [noise, png()], "as they are where they fit"
    light = shrink([noise, noise], len(noise))
    assert sum(map(len, light)) <= len(noise)
    sizes = [Image.open(io.BytesIO(found)).size for found in light]
    assert all(abs(width / height - 4 / 3) < 0.02 for width, height in sizes)
    assert len(html(report([Picture(noise, "noise")] * 16)).encode()) < 5_000_000


def test_formats_are_found_by_their_files() -> None:
    assert sorted(formats()) == ["csv", "html", "latex", "markdown"]
    with pytest.raises(UnknownNameError, match="did you mean 'latex'"):
        format_named("latx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    RunFolder(tmp_path).write_spec({"schema": 1})
    return tmp_path


def test_the_command_writes_the_formats_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["report", str(folder)]
    assert main([*shared, "--format", "csv", "--format", "latex", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"wrote {folder}/report-tables",
        f"wrote {folder}/report.tex",
    ]
    assert not (folder / "report.html").exists()
    assert main([*shared, "--format", "markdown", "--out", str(folder / "a" / "b.txt")]) == 0
    assert (folder / "a" / "b.txt").read_text().startswith("# How robust")
    assert main([*shared, "--format", "markdown", "--format", "html", "--out", str(folder / "c.html")]) == 0
    assert (folder / "c.md").is_file()
    assert (folder / "c.html").is_file()
    capsys.readouterr()
    assert main([*shared, "--format", "htm"]) == 2
    assert capsys.readouterr().err == "rsc-snn: unknown format 'htm'; did you mean 'html'?\n"


def test_a_reproduction_says_its_budget_before_any_number(tmp_path: Path) -> None:
    Reproduction(places=("table3",), budget="smoke", seeds=1, lines=(), tasks=()).write(tmp_path)
    text = write_report(tmp_path).read_text(encoding="utf-8")
    assert "Budget smoke: one small network stands in" in text
    assert "<dt>budget</dt><dd>smoke</dd>" in text
    assert "No attack was run yet" in text, "its first cell has not run"


def test_runs_of_a_reproduction_are_called_by_their_folders(tmp_path: Path) -> None:
    for name in ("a-seed0", "a-seed1"):
        run = RunFolder(tmp_path / "runs" / name)
        run.path.mkdir(parents=True)
        run.write_spec({"schema": 1, "recipe": {"name": "a"}})
    assert list(read_folder(tmp_path).runs) == ["a", "a (2)"]
    task = Task(key="k", run="a-seed0", what="w")
    Reproduction(places=("table3",), budget="short", seeds=2, lines=(), tasks=(task,)).write(tmp_path)
    append_rows(tmp_path / STATES, [{"cell": "k", "state": "failed"}, {"cell": "k", "state": "done"}])
    found = read_folder(tmp_path)
    assert list(found.runs) == ["a-seed0", "a-seed1"]
    facts = dict(report_of(found, [Chapter("T", [Section("S", tables=[COMPARED])])]).facts)
    assert facts == {
        "runs": "2",
        "budget": "short",
        "seeds": "2",
        "cells": "1 done",
        "compared with the paper": "1 inconclusive, 1 reproduced, 1 not reproduced",
    }
