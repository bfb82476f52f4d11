"""The sections of a reproduction: every table and figure is there, and pictures say what they show."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.qte import qte
from rsc_snn.report.audits import draw_curves
from rsc_snn.report.reproduction import figure2, reproduction_markdown, reproduction_sections
from rsc_snn.report.reproduction.cells import value_text
from rsc_snn.report.reproduction.charts import DRAWS, EPS
from rsc_snn.report.reproduction.compared import PLACES as OF_PAPER
from rsc_snn.report.reproduction.figure1 import plane_picture, points, qte_table
from rsc_snn.report.reproduction.figure3 import surface
from rsc_snn.report.reproduction.number_tables import NOTES, POINTER
from rsc_snn.report.reproduction.reading import Evidence
from rsc_snn.report.reproduction.running import duration
from rsc_snn.report.reproduction.series import PARTIAL, curves, distinct, pictures_over, worst_name
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import Table
from rsc_snn.runs.files import Row, replace_text
from rsc_snn.runs.reproduction import RUNS, Line, Task
from tests.report.folders import (
    DIGITS,
    at,
    attack_row,
    audit_row,
    evidence,
    line,
    reproduce,
    write_rows,
    write_state,
)

STRENGTHS = (2, 4, 6, 8)
HEADINGS = [*(f"Table {number}" for number in range(1, 8)), *(f"Figure {number}" for number in range(1, 4))]


def over_eps(run: str, step: int) -> list[Row]:
    """PGD, FGSM and the worst case lose so many of ten draws per 2/255; clean 10 of 10."""
    return [
        attack_row(i, max(0, 10 - step * eps // 2), eps=eps / 255, entry=entry, suite=suite, winner="APGD")
        for eps in STRENGTHS
        for entry, suite in (("PGD", "paper"), ("FGSM", "paper"), ("worst", "reliable"))
        for i in range(30)
    ]


def lines_over_eps(place: str, run: str, method: str, **changes: object) -> list[Line]:
    return [
        line(
            place,
            method,
            numbers={
                "FGSM": (at(run, suite="paper", entry="FGSM", eps=eps / 255),),
                "PGD": (at(run, suite="paper", entry="PGD", eps=eps / 255),),
                "reliable": (at(run, suite="reliable", entry="worst", eps=eps / 255),),
            },
            conditions={"eps": eps / 255},
            **changes,
        )
        for eps in STRENGTHS
    ]


def whole(folder: Path) -> Path:
    """Every place, some with rows."""
    draws = (1, 5, 20)
    runs = {
        "direct": over_eps("direct", 2),
        "rsc": over_eps("rsc", 1),
        "eot": [attack_row(i, 6 - k, entry=f"EOT{draws[k]}") for k in range(3) for i in range(30)],
    }
    lines = [
        *lines_over_eps("figure1", "direct", "Direct"),
        *lines_over_eps("figure1", "rsc", "RSC-0.1"),
        *lines_over_eps("eps", "rsc", "RSC-0.1"),
        line("table3", numbers={"PGD": (at("rsc", suite="paper", entry="PGD", eps=8 / 255),)}),
        line("table3", dataset="CIFAR-100", network="VGG-11", numbers={"PGD": (at("gone", entry="PGD"),)}),
        *(
            line("table2", numbers={"EOT-PGD": (at("eot", entry=f"EOT{k}"),)}, conditions={"draws": k})
            for k in draws
        ),
        line("table1", numbers={"audit": (at("rsc", file="audit.jsonl"),)}),
        line("table6", numbers={"PGD": (at("broken", entry="PGD"),)}, reductions=("3 of 100 epochs",)),
        *(
            replace(found, conditions={"variance": variance, **found.conditions}, method=f"RSC-{variance:g}")
            for variance, run in ((0.01, "direct"), (0.1, "rsc"))
            for found in lines_over_eps("figure3", run, "RSC")
        ),
    ]
    tasks = [
        Task(
            key="rsc",
            run="rsc",
            what="cifar10-vgg5-rsc0.1, seed 0: suite paper",
            command="rsc-snn attack runs/rsc",
        ),
        Task(key="broken", run="broken", what="cifar10-vgg5-ersct0.1, seed 0"),
        Task(key="later", run="later", what="cifar100-vgg11-rsc0.1, seed 0"),
    ]
    places = [*OF_PAPER, "eps"]
    reproduce(folder, lines, runs, places=places, tasks=tasks)
    write_rows(
        folder, "rsc", [audit_row(n, f"check-{n}", "pass", 0.1 * n) for n in (1, 2, 3, 5)], "audit.jsonl"
    )
    write_state(folder, "broken", "failed", reason="OutOfMemoryError: too little memory", seconds=100.0)
    environment = {
        "command": ["rsc-snn"],
        "device": {"type": "cpu", "name": "a CPU"},
        "packages": {"torch": "2.13"},
    }
    entries = [environment, {**environment, "seed": 3, "started": "later"}]
    replace_text(folder / RUNS / "rsc" / "environment.json", json.dumps(entries))
    return folder


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Section]:
    found = reproduction_sections(whole(tmp_path_factory.mktemp("whole")))
    assert found is not None
    return {section.title.split(":")[0]: section for section in found}


def cells_of(section: Section) -> list[str]:
    return [cell for table in section.tables for row in table.rows for cell in row]


def test_a_folder_without_a_plan_has_no_sections(tmp_path: Path) -> None:
    assert reproduction_sections(tmp_path) is None
    with pytest.raises(RunFolderError, match=r"no reproduction\.json in .*; give a folder that"):
        reproduction_markdown(tmp_path)


def test_every_table_and_figure_of_the_paper_has_its_heading(sections: dict[str, Section]) -> None:
    found = list(sections)
    assert [title for title in found if title in HEADINGS] == HEADINGS
    assert found[0] == "Reproduction"
    assert found[-2:] == ["Claims of the paper", "How it was run"]


def test_they_are_there_where_one_table_was_asked_for_and_nothing_was_measured(tmp_path: Path) -> None:
    folder = reproduce(tmp_path, [], places=["table3"], dataset="ImageNet")
    found = {section.title.split(":")[0]: section for section in reproduction_sections(folder) or []}
    assert {*HEADINGS} <= {*found}
    assert next(title for title in found if title in HEADINGS) == "Table 3", "what was asked for comes first"
    assert "no line on ImageNet" in " ".join(found["Table 3"].words)
    assert "25.86" in cells_of(found["Table 3"]), "the paper's numbers stand"
    assert "'rsc-snn reproduce table5' measures it" in " ".join(found["Table 5"].words)
    assert "43.59" in cells_of(found["Table 5"])


def test_all_rows_have_a_cell_for_each_column(sections: dict[str, Section]) -> None:
    tables = [table for section in sections.values() for table in section.tables]
    assert len(tables) > 20
    for table in tables:
        assert all(len(row) == len(table.columns) for row in table.rows), table.title
    titles = [table.title for table in tables]
    assert len({*titles}) == len(titles)


def test_pictures_are_small_and_say_what_they_show(sections: dict[str, Section]) -> None:
    with_pictures = [title for title, section in sections.items() if section.pictures]
    assert with_pictures == ["Table 1", "Table 2", "Figure 1", "Figure 3", "Accuracy over attack strength"]
    for section in sections.values():
        for picture in section.pictures:
            assert len(picture.png) < 120_000, section.title
            with Image.open(io.BytesIO(picture.png)) as image:
                assert image.width > 400
            assert len(picture.alt) > 40
            assert picture.caption.endswith(".")
    assert len(sections["Figure 1"].pictures) == 2
    assert "Direct, CIFAR-10, VGG-5 and RSC-0.1" in sections["Figure 1"].pictures[0].alt


def test_lost_missing_and_failed_cells_say_so(sections: dict[str, Section]) -> None:
    assert "not legible in the source" in cells_of(sections["Table 2"])
    assert "not run yet" in cells_of(sections["Table 3"])
    assert "failed: OutOfMemoryError: too little memory" in cells_of(sections["Table 6"])


def test_table_1_has_five_signs_with_numbers(sections: dict[str, Section]) -> None:
    table = sections["Table 1"].tables[0]
    assert [row[0] for row in table.rows] == ["1", "2", "3", "5", "4"]
    assert table.rows[0][:5] == ["1", "check 1", "pass", "0.100", "0.050"]
    assert table.rows[-1][2] == "not checked"


def test_a_missing_audit_shows_the_five_signs_with_the_reason(tmp_path: Path) -> None:
    folder = reproduce(
        tmp_path, [line("table1", numbers={"audit": (at("a", file="audit.jsonl"),)})], places=["table1"]
    )
    found = {section.title.split(":")[0]: section for section in reproduction_sections(folder) or []}
    assert [row[2] for row in found["Table 1"].tables[0].rows] == ["not run yet"] * 5


def test_smoke_prints_no_difference_and_names_the_stand_in_in_every_line(tmp_path: Path) -> None:
    numbers = {"PGD": (at("a", entry="PGD"),)}
    lines = [
        line(place, dataset=name, numbers=numbers, stand_in=DIGITS)
        for place, name in (("table3", "CIFAR-10"), ("table3", "ImageNet"), ("table6", "CIFAR-10"))
    ]
    runs = {"a": [attack_row(i, 5) for i in range(40)]}
    found = reproduction_sections(reproduce(tmp_path, lines, runs, budget="smoke"))
    assert found is not None
    assert "no paper difference is printed" in " ".join(found[0].words)
    tables = [table for section in found for table in section.tables if "difference" in table.columns]
    assert len(tables) == 3
    for table in tables:
        for row in table.rows:
            cells = dict(zip(table.columns, row, strict=True))
            assert cells["difference"] == "-"
            assert cells["verdict"] == "no verdict: smoke budget"
            assert cells["method"].endswith(", stand-in")
    for section in found:
        named = [words for words in section.words if "digits, VGG5 of hidden width 256" in words]
        is_shown = section.title.startswith(("Table 3", "Table 6"))
        assert len(named) == is_shown, "the full words once, where its numbers are"


def test_data_that_is_not_there_is_said_once_and_certificates_that_are_missing(tmp_path: Path) -> None:
    why = "not run: no data set 'cifar10'"
    lines = [
        *(line("table3", method, reductions=(why,)) for method in ("Direct", "RSC-0.1")),
        line("certified", numbers={"certified": (at("a", file="certificates.jsonl"),)}),
    ]
    folder = reproduce(tmp_path, lines, places=["table3", "certified"])
    found = {section.title.split(":")[0]: section for section in reproduction_sections(folder) or []}
    assert sum(why in words for words in found["Table 3"].words) == 1
    assert "not run" in cells_of(found["Table 3"])
    assert found["Certified accuracy"].tables[0].rows == [["RSC-0.1 on CIFAR-10, VGG-5", "not run yet"]]


def test_qte_over_five_strengths_is_the_area(tmp_path: Path) -> None:
    """Direct: 1, 0.8, 0.6, 0.4, 0.2; RSC: 1, 0.9, 0.8, 0.7, 0.6."""
    folder = whole(tmp_path)
    found = evidence(folder)
    table = qte_table(found, [line for line in found.plan.lines if line.place == "figure1"])
    assert table is not None
    shown = {(row[0].split(",")[0], row[1].split(" ")[0]): row[2:4] for row in table.rows}
    areas = {
        "Direct": qte(range(0, 9, 2), (1, 0.8, 0.6, 0.4, 0.2)),
        "RSC-0.1": qte(range(0, 9, 2), (1, 0.9, 0.8, 0.7, 0.6)),
    }
    for method, area in areas.items():
        for attack in ("FGSM", "PGD", "worst"):
            assert [cell.split(" ")[0] for cell in shown[method, attack]] == [f"{area:.2f}"] * 2
    assert areas == pytest.approx({"Direct": 4.8, "RSC-0.1": 6.4})


def test_one_and_several_trapezoids_are_of_the_same_images_and_doubts_are_said(tmp_path: Path) -> None:
    """40 images at 8/255, 20 elsewhere: the last 20, all wrong, must not enter one column only."""
    rows = [
        attack_row(i, 5 if i < 20 else 0, eps=eps / 255, entry="worst", suite="reliable", winner="APGD",
                   flags=["quick-budget"])
        for eps in STRENGTHS
        for i in range(40 if eps == 8 else 20)
    ]  # fmt: skip
    lines = [
        line("figure1", numbers={"reliable": (at("a", eps=eps / 255),)}, conditions={"eps": eps / 255})
        for eps in STRENGTHS
    ]
    found = evidence(reproduce(tmp_path, lines, {"a": rows}))
    table = qte_table(found, lines)
    assert table is not None
    ((_, attack, one, several, images),) = table.rows
    assert attack == "worst case, NOT reliable: the budget is quick"
    assert one.startswith("6.00 ")
    assert several.startswith(f"{qte(range(0, 9, 2), (1, 0.5, 0.5, 0.5, 0.5)):.2f} ")
    assert images == "20"
    assert worst_name([found.sample(lines[0].numbers["reliable"])]) == attack
    (picture,) = pictures_over(found, lines, "eps")
    assert f"{attack}, 20 to 40 images" in picture.alt
    assert worst_name([]) == "worst case, reliable protocol"


def test_a_seed_that_is_missing_is_said_in_figure_1(tmp_path: Path) -> None:
    lines = [
        line(
            "figure1",
            numbers={"PGD": (at("a", eps=e / 255), at("b", eps=e / 255))},
            conditions={"eps": e / 255},
        )
        for e in STRENGTHS
    ]
    rows = {run: [attack_row(i, right, eps=e / 255) for e in some for i in range(30)]
            for run, right, some in (("a", 5, STRENGTHS), ("b", 0, (2, 4, 8)))}  # fmt: skip
    found = evidence(reproduce(tmp_path, lines, rows))
    table = qte_table(found, lines)
    assert table is not None
    assert [cell.split(" ")[0] for cell in table.rows[0][2:4]] == ["6.00", "4.50"]
    assert all(cell.endswith("], 1 of 2 seeds") for cell in table.rows[0][2:4])
    assert PARTIAL in pictures_over(found, lines, "eps")[0].caption


def test_every_number_of_a_picture_stands_in_a_table(sections: dict[str, Section], tmp_path: Path) -> None:
    found = evidence(whole(tmp_path))
    for title, key, axis in (
        ("Figure 1", "figure1", EPS), ("Figure 3", "figure3", EPS),
        ("Accuracy over attack strength", "eps", EPS), ("Table 2", "table2", DRAWS),
    ):  # fmt: skip
        own = [line for line in found.plan.lines if line.place == key]
        drawn = {
            value_text(measured)
            for named in curves(found, own, axis).values()
            for curve in named.values()
            for measured in curve.values()
        }
        assert len(drawn) > 2
        assert drawn <= {*cells_of(sections[title])}, title


def test_numbers_of_all_images_stay_beside_those_that_both_protocols_share(tmp_path: Path) -> None:
    """PGD on 40 images and the worst case on the first 10: the picture shows the 40, and so does a table."""
    rows = [attack_row(i, 10 if i < 10 else 0) for i in range(40)]
    worst = [attack_row(i, 5, entry="worst", suite="reliable", winner="APGD") for i in range(10)]
    numbers = {"PGD": (at("a", entry="PGD"),), "reliable": (at("a", suite="reliable", entry="worst"),)}
    lines = [line("figure1", numbers=numbers, conditions={"eps": 8 / 255})]
    folder = reproduce(tmp_path, lines, {"a": [*rows, *worst]}, places=["figure1"])
    found = {section.title.split(":")[0]: section for section in reproduction_sections(folder) or []}
    cells = cells_of(found["Figure 1"])
    assert any(cell.startswith("25.0 [") for cell in cells), "of 40 images"
    assert any(cell.startswith("100.0 [") for cell in cells), "of the 10 in common"


def test_words_on_differences_stand_only_where_there_are_any(sections: dict[str, Section]) -> None:
    for section in sections.values():
        has_numbers = any("difference" in table.columns for table in section.tables)
        assert (POINTER in section.notes) == has_numbers, section.title
    assert [title for title, section in sections.items() if {*NOTES} & {*section.notes}] == ["Reproduction"]


def test_one_seed_is_said_to_tell_nothing_of_training(tmp_path: Path) -> None:
    folder = reproduce(tmp_path, [], places=["table3"])
    assert any(words.startswith("One seed:") for words in (reproduction_sections(folder) or [])[0].words)
    plan = json.loads((folder / "reproduction.json").read_text())
    replace_text(folder / "reproduction.json", json.dumps({**plan, "seeds": 3}))
    assert not any(words.startswith("One seed:") for words in (reproduction_sections(folder) or [])[0].words)
    assert "with one seed none is" in " ".join(NOTES)


def test_words_claim_no_more_than_is_so(sections: dict[str, Section]) -> None:
    running = " ".join(sections["How it was run"].words)
    assert "Section 4.4 writes the noise levels as sigma^2 = 0.01, 0.1 and 0.5" in running
    unstated = next(words for words in sections["How it was run"].words if "does not state" in words)
    assert "variances or deviations" not in unstated
    assert "coding of the network on which the images of Table 4 are made" in unstated
    assert "paper does not give the coding of that network" in " ".join(sections["Table 4"].words)
    assert "does not say what Vanilla is; here it is a network with direct coding" in " ".join(
        sections["Table 7"].words
    )
    assert "beyond" not in " ".join(sections["Accuracy over attack strength"].words)


def test_curves_of_an_audit_are_drawn_once() -> None:
    rows = [audit_row(1, "check-1", "pass", 0.1)]
    assert draw_curves(rows) is draw_curves([dict(row) for row in rows])
    assert draw_curves([audit_row(2, "check-2", "pass", 0.1)]) != draw_curves(rows)
    assert draw_curves([audit_row(1, "check-1", "pass", 0.1, curve={})]) is None


def test_the_theory_is_read_and_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    table = Table("Similarities", ("a",), [["1"]])

    def sections_of(rows: object, images: Path) -> list[Section]:
        calls.append(images)
        return [Section("Theory", tables=[table])]

    monkeypatch.setattr(figure2, "theory_sections", sections_of)
    monkeypatch.setattr(Evidence, "_read", lambda self, place: [{"name": "a"}])
    lines = [line("figure2", numbers={"theory": (at("a", file="theory.jsonl"),)})]
    found = reproduction_sections(reproduce(tmp_path, lines, places=["figure2"])) or []
    assert sum(table in section.tables for section in found) == 1
    assert len(calls) == 1


def test_the_plane_has_a_point_per_network_and_protocol(tmp_path: Path) -> None:
    found = evidence(whole(tmp_path))
    by_protocol = points(found, found.plan.lines)
    assert {name: len(named) for name, named in by_protocol.items()} == {"PGD": 2, "reliable": 2}
    clean, robust = next(pair for subject, pair in by_protocol["PGD"].items() if subject.method == "Direct")
    assert (clean.estimate.value, robust.estimate.value) == pytest.approx((1.0, 0.2))
    assert plane_picture(found, []) == []


def test_curves_run_over_their_condition(tmp_path: Path) -> None:
    found = evidence(whole(tmp_path))
    named = curves(found, found.plan.lines, DRAWS)["EOT-PGD"]
    (curve,) = named.values()
    assert {x: round(m.estimate.value, 6) for x, m in curve.items()} == {1: 0.6, 5: 0.5, 20: 0.4}
    own = [line for line in found.plan.lines if line.place == "eps"]
    over = curves(found, own, EPS)
    assert list(over) == ["FGSM", "PGD", "reliable"]
    (curve,) = over["PGD"].values()
    assert {x: round(m.estimate.value, 6) for x, m in curve.items()} == {0: 1, 2: 0.9, 4: 0.8, 6: 0.7, 8: 0.6}
    assert pictures_over(found, own[:1], "steps") == []


def test_figure_3_is_a_surface_of_variance_and_strength(tmp_path: Path) -> None:
    found = evidence(whole(tmp_path))
    values = surface(found, found.plan.lines)
    assert list(values) == ["FGSM", "PGD"]
    assert len(values["PGD"]) == 8
    clean, robust = values["PGD"][0.1, 4.0]
    assert (clean.estimate.value, robust.estimate.value) == pytest.approx((1.0, 0.8))


def test_stand_ins_of_several_data_sets_are_drawn_once() -> None:
    rows = {"PGD": (at("a", entry="PGD"),)}
    same = [line(dataset=name, numbers=rows, stand_in=DIGITS) for name in ("CIFAR-10", "ImageNet")]
    assert distinct(same) == same[:1]
    assert len(distinct([*same, line(method="Direct", numbers=rows)])) == 2


def test_how_it_was_run_tells_cost_deviations_failures_and_environment(sections: dict[str, Section]) -> None:
    running = sections["How it was run"]
    tables = {table.title: table for table in running.tables}
    assert list(tables) == [
        "Deviations from the paper", "Failed cells", "Cells, in the order in which they run", "Environments",
    ]  # fmt: skip
    assert tables["Deviations from the paper"].rows == [
        ["CIFAR-10, VGG-5", "3 of 100 epochs", "Table 6", "RSC-0.1"]
    ]
    assert tables["Failed cells"].rows == [
        ["cifar10-vgg5-ersct0.1, seed 0", "OutOfMemoryError: too little memory", "1"]
    ]
    cells = tables["Cells, in the order in which they run"].rows
    assert [row[1:3] for row in cells] == [["done", "2 s"], ["failed", "1.7 min"], ["not run yet", "-"]]
    assert cells[0][-1] == "rsc-snn attack runs/rsc"
    assert tables["Environments"].rows == [["cpu, a CPU", "installed package", "torch 2.13", "rsc"]]
    words = " ".join(running.words)
    assert "3 cells: 1 done, 1 failed, 1 not run yet. In all 1.7 min of computing." in words
    assert "The paper does not state: T," in words


def test_durations() -> None:
    assert [duration(s) for s in (5, 89, 120, 5399, 7200)] == ["5 s", "89 s", "2.0 min", "90.0 min", "2.0 h"]


def test_the_docs_are_the_same_tables_as_markdown(tmp_path: Path) -> None:
    lines = [line("table6", numbers={name: (at(name, entry="PGD"),)}) for name in ("PGD", "FGSM")]
    folder = reproduce(tmp_path, lines, {"PGD": [attack_row(i, 5) for i in range(40)]})
    write_state(folder, "FGSM", "failed", reason="too little memory")
    text = reproduction_markdown(folder)
    for section in reproduction_sections(folder) or []:
        assert f"## {section.title}" in text
    assert "| RSC-0.1 | PGD | 37.28 | 50.0 [35.2, 64.8] | +12.7 [" in text
    assert "failed: too little memory" in text


def test_reading_a_reproduction_needs_no_torch() -> None:
    code = "import sys, rsc_snn.report.reproduction; sys.exit(bool({'torch', 'matplotlib'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
