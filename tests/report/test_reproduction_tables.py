"""Lines of a reproduction as cells: paper, measured, difference, verdict, and what stands in a gap."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from rsc_snn.paper.number import Number, Status
from rsc_snn.report.reproduction.cells import (
    difference_cell,
    measured_cell,
    method_text,
    paper_cell,
    stand_in_words,
    subject_text,
)
from rsc_snn.report.reproduction.compared import Compared, ComparedLine, compare
from rsc_snn.report.reproduction.completing import completed
from rsc_snn.report.reproduction.number_tables import (
    NUMBER_COLUMNS,
    measured_table,
    number_tables,
    paper_table,
    verdict_counts,
)
from rsc_snn.report.reproduction.protocols import protocols_table
from rsc_snn.report.reproduction.verdict import difference
from rsc_snn.runs.reproduction import Line
from tests.report.folders import (
    CIFAR,
    DIGITS,
    EPS,
    VGG5,
    StubPaper,
    at,
    attack_row,
    audit_row,
    evidence,
    line,
    printed,
    reproduce,
    write_rows,
    write_state,
)

SIZE = 400
PAPER = StubPaper(
    (printed("Clean", 100.0), printed("FGSM", 60.0), printed("PGD", None), printed("F-QTE", 6.4)), SIZE
)
NUMBERS = {"FGSM": (at("a", entry="FGSM"),), "PGD": (at("a", entry="PGD"),)}
RSC = line(numbers=NUMBERS)


def rows(entry: str, right: int, *, size: int = SIZE, **changes: Any) -> list[dict[str, Any]]:
    return [attack_row(i, right, entry=entry, **changes) for i in range(size)]


def compared(
    tmp_path: Path, found: Line = RSC, *, fgsm: int = 6, size: int = SIZE, **plan: Any
) -> dict[str, Compared]:
    """Clean 100 %, FGSM as given, PGD 50 %."""
    runs = {"a": rows("FGSM", fgsm, size=size) + rows("PGD", 5, size=size)}
    folder = reproduce(tmp_path, [found], runs, **plan)
    return {number.name: number for number in compare(evidence(folder), PAPER, found)}


def test_a_line_is_clean_then_attacks_then_qte(tmp_path: Path) -> None:
    found = compared(tmp_path)
    assert list(found) == ["Clean", "FGSM", "PGD", "F-QTE", "P-QTE"]
    assert measured_cell(found["Clean"].measured) == "100.0 [99.0, 100.0]"
    assert measured_cell(found["F-QTE"].measured).startswith("6.40 [")
    assert measured_cell(found["P-QTE"].measured).startswith("6.00 [")
    assert [paper_cell(number.paper) for number in found.values()] == [
        "100.00", "60.00", "not legible in the source", "6.40", "-",
    ]  # fmt: skip


def test_the_verdicts_of_a_full_run(tmp_path: Path) -> None:
    found = compared(tmp_path)
    assert found["Clean"].verdict == "reproduced"
    assert found["FGSM"].verdict == "inconclusive", "60 % of 400 twice: 6.8 points"
    assert found["F-QTE"].verdict == "inconclusive", "80 % of its range: 5.5 points, 0.44"
    assert found["PGD"].verdict == "no verdict: not legible"
    assert found["P-QTE"].verdict == "no verdict: the paper has no such number"
    assert difference_cell(found["PGD"]) == "-"
    assert difference_cell(found["Clean"]) == "+0.0 [-1.0, 1.0]"
    assert difference_cell(found["F-QTE"]) == "+0.00 [-0.44, 0.44]"
    assert compared(tmp_path / "far", fgsm=9)["FGSM"].verdict == "not reproduced"
    measured = found["FGSM"].measured.measured
    assert measured is not None
    assert found["FGSM"].difference == difference(measured, 0.6, SIZE)


@pytest.mark.parametrize(
    ("changes", "plan", "reason"),
    [
        ({}, {"budget": "smoke"}, "smoke budget"),
        ({"stand_in": DIGITS}, {}, "stand-in"),
        ({"reductions": ("3 of 100 epochs", "T=4 for 8")}, {}, "3 of 100 epochs; T=4 for 8"),
        ({}, {"size": 40}, "40 of 400 test images"),
    ],
)
def test_what_takes_the_verdict_away(
    tmp_path: Path, changes: dict[str, Any], plan: dict[str, Any], reason: str
) -> None:
    found = compared(tmp_path, replace(RSC, **changes), **plan)
    assert found["Clean"].verdict == f"no verdict: {reason}"
    is_foreign = "stand_in" in changes or "budget" in plan
    assert (found["Clean"].difference is None) == is_foreign, "no difference of what is not the paper's"


def test_another_attack_strength_is_not_compared(tmp_path: Path) -> None:
    runs = {"a": [*rows("FGSM", 6, eps=4 / 255), *rows("PGD", 5, eps=4 / 255)]}
    folder = reproduce(tmp_path, [RSC], runs)
    found = {number.name: number for number in compare(evidence(folder), PAPER, RSC)}
    assert measured_cell(found["F-QTE"].measured).startswith("3.20 ")
    for name in ("FGSM", "F-QTE"):
        assert found[name].difference is None
        assert found[name].verdict == "no verdict: another attack strength than 8/255"
    assert found["Clean"].verdict == "reproduced", "which has no strength"


def test_an_attack_without_gradients_says_so_beside_its_number(tmp_path: Path) -> None:
    flagged = [
        dict(row, flags=["zero-gradient"] if row["index"] < 10 else []) for row in rows("FGSM", 6, size=40)
    ]
    single = [dict(row, flags=["unchanged"] if row["index"] < 1 else []) for row in rows("PGD", 6)]
    folder = reproduce(tmp_path, [RSC], {"a": [*flagged, *single]})
    found = {number.name: number for number in compare(evidence(folder), PAPER, RSC)}
    assert measured_cell(found["FGSM"].measured).endswith(", flagged zero-gradient on 25.0 % of the images")
    assert "flagged" not in measured_cell(found["Clean"].measured)
    assert "flagged" not in measured_cell(found["PGD"].measured), "one image of 400"


def test_a_line_whose_data_was_not_there_keeps_the_papers_numbers(tmp_path: Path) -> None:
    absent = line(reductions=("not run: no data",))
    folder = reproduce(tmp_path, [absent])
    found = compare(evidence(folder), PAPER, absent)
    assert [(paper_cell(n.paper), measured_cell(n.measured), n.verdict) for n in found] == [
        (cell, "not run", "no verdict: not run")
        for cell in ("100.00", "60.00", "not legible in the source", "6.40")
    ]


def test_a_line_gets_the_other_protocol_from_the_same_network_and_strength() -> None:
    worst, weaker, fgsm = (
        (at("a", entry="worst"),),
        (at("a", entry="worst", eps=4 / 255),),
        (at("a", entry="FGSM"),),
    )
    audit = (at("a", file="audit.jsonl"),)
    lines = [
        line(numbers={"FGSM": fgsm, "reliable": worst}),
        line("table2", numbers={"EOT-PGD": fgsm}, conditions={"draws": 5}),
        line("table2", method="Direct", numbers={"EOT-PGD": fgsm}),
        line("figure1", numbers={"FGSM": fgsm}, conditions={"eps": 4 / 255}),
        line("eps", numbers={"reliable": weaker}, conditions={"eps": 4 / 255}),
        line("eps", numbers={"reliable": worst}, conditions={"eps": EPS}),
        line("table1", numbers={"audit": audit}),
        line("certified", numbers={"certified": (at("a", file="certificates.jsonl"),)}),
    ]
    found = [
        {name: rows for name, rows in each.numbers.items() if name != "audit"} for each in completed(lines)
    ]
    assert found[1] == {"EOT-PGD": fgsm, "reliable": worst}
    assert found[2] == {"EOT-PGD": fgsm}, "another method"
    assert found[3] == {"FGSM": fgsm, "reliable": weaker}, "the same strength"
    assert found[4] == {"FGSM": fgsm, "reliable": weaker}
    assert found[5] == {"FGSM": fgsm, "reliable": worst}
    assert "reliable" not in found[7]
    assert [("audit" in each.numbers) for each in completed(lines)] == [
        True, True, False, True, False, False, True, False,
    ]  # fmt: skip


def test_the_number_of_images_is_said(tmp_path: Path) -> None:
    found = ComparedLine(RSC, list(compared(tmp_path, size=12).values()))
    (table,) = number_tables("Table 3", [found])
    assert table.notes[0] == (
        "Test images: paper protocol 12. Fewer than 30 images: the intervals are only a rough guide."
    )


def test_seeds_failures_and_gaps_in_cells(tmp_path: Path) -> None:
    many = {"FGSM": tuple(at(run, entry="FGSM") for run in "abc"), "PGD": (at("d", entry="PGD"),)}
    several = line(numbers=many)
    runs = {"a": rows("FGSM", 6, size=40), "b": rows("FGSM", 7, size=40)}
    folder = reproduce(tmp_path, [several], runs)
    write_state(folder, "c", "failed", reason="out of memory")
    write_state(folder, "d", "failed", reason="out of memory")
    found = {number.name: number for number in compare(evidence(folder), PAPER, several)}
    assert measured_cell(found["FGSM"].measured) == "65.0 [49.5, 77.9], sd over 2 seeds 7.1, 2 of 3 seeds"
    assert measured_cell(found["PGD"].measured) == "failed: out of memory"
    assert measured_cell(found["P-QTE"].measured) == "failed: out of memory"
    assert measured_cell(found["Clean"].measured).startswith("100.0 "), "from the attack that has rows"
    assert measured_cell(found["Clean"].reliable) == "not asked for"


def test_the_reliable_protocol_stands_in_its_own_column_and_says_what_it_lacks(tmp_path: Path) -> None:
    quick = rows("worst", 2, size=40, suite="reliable", winner="APGD", flags=["quick-budget"])
    both = line(
        numbers={"PGD": (at("a", entry="PGD"),), "reliable": (at("a", suite="reliable", entry="worst"),)}
    )
    folder = reproduce(tmp_path, [both], {"a": [*rows("PGD", 5, size=60), *quick]})
    found = ComparedLine(both, compare(evidence(folder), PAPER, both))
    (table,) = number_tables("Table 3", [found])
    assert table.columns == NUMBER_COLUMNS
    clean, pgd, qte = table.rows
    assert pgd[:3] == ["RSC-0.1", "PGD", "not legible in the source"]
    assert pgd[3].startswith("50.0 [")
    assert pgd[6].startswith("20.0 [")
    assert pgd[6].endswith("not reliable: the budget is quick")
    assert qte[3].startswith("6.00 ")
    assert qte[6].startswith("4.80 ")
    assert clean[6].startswith("100.0 ")


def test_both_protocols_stand_side_by_side_on_the_same_images(tmp_path: Path) -> None:
    """PGD is right on the first ten images, in half of the draws elsewhere; the reliable one ran on ten."""
    worst = [attack_row(i, 4, entry="worst", suite="reliable", winner="APGD") for i in range(10)]
    pgd = [attack_row(i, 10 if i < 10 else 5) for i in range(40)]
    both = line(
        numbers={"PGD": (at("a", entry="PGD"),), "reliable": (at("a", suite="reliable", entry="worst"),)}
    )
    bare = line(method="Direct", numbers={"PGD": (at("a", entry="PGD"),), "reliable": (at("b"),)})
    folder = reproduce(tmp_path, [both, bare], {"a": [*pgd, *worst]})
    table = protocols_table(evidence(folder), "Table 3", [both, bare, line(method="ANN")])
    assert table is not None
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["images"] == "10"
    assert cells["paper protocol: PGD"].startswith("100.0 [")
    assert cells["reliable protocol: worst case"].startswith("40.0 [")
    assert cells["its vote"].startswith("0.0 [")
    values = [0.6] * 10 + [1.0, 1.0, -1.0, -1.0]  # two images each way are added where nothing differs
    _, high = stats.t.interval(0.95, 13, loc=6 / 14, scale=stats.sem(values))
    low = min(6 / 14 - (high - 6 / 14), 0.6)
    assert cells["PGD minus reliable"] == f"+60.0 [{100 * low:+.1f}, {100 * max(high, 0.6):+.1f}]*"
    assert any(note.startswith("* Few images") for note in table.notes)
    assert cells["label"] == "reliable"
    missing = dict(zip(table.columns, table.rows[1], strict=True))
    assert missing["reliable protocol: worst case"] == "not run yet"
    assert missing["label"] == "-"
    assert len(table.rows) == 2


def test_every_cell_of_a_stand_in_says_so(tmp_path: Path) -> None:
    stand_in = replace(RSC, stand_in=DIGITS)
    found = ComparedLine(stand_in, list(compared(tmp_path, stand_in, size=40).values()))
    (table,) = number_tables("Table 3", [found])
    assert {row[0] for row in table.rows} == {"RSC-0.1, stand-in"}
    own = ComparedLine(RSC, list(compared(tmp_path / "own", size=40).values()))
    assert {row[0] for each in number_tables("Table 3", [own]) for row in each.rows} == {"RSC-0.1"}
    assert subject_text(stand_in) == "RSC-0.1, stand-in"
    other = replace(stand_in, stand_in=DIGITS.replace("CIFAR-10 VGG-5", "ImageNet ResNet-19"))
    assert stand_in_words([RSC, stand_in, other, stand_in]) == (
        'A line with "stand-in" was measured on something else than in the paper: digits, VGG5 of hidden '
        "width 256, T=4 in place of CIFAR-10 VGG-5, ImageNet ResNet-19."
    )
    assert stand_in_words([RSC]) == ""


def test_stand_ins_of_several_data_sets_stand_once_in_the_table_of_both_protocols(tmp_path: Path) -> None:
    numbers = {"PGD": (at("a", entry="PGD"),), "reliable": (at("a", suite="reliable", entry="worst"),)}
    lines = [
        line(dataset=name, numbers=numbers, stand_in=f"digits, in place of {name}")
        for name in (CIFAR, "ImageNet")
    ]
    worst = rows("worst", 2, size=10, suite="reliable", winner="APGD")
    audited = line("table1", numbers={"audit": (at("a", file="audit.jsonl"),)}, stand_in=lines[0].stand_in)
    folder = reproduce(tmp_path, lines, {"a": [*rows("PGD", 5, size=10), *worst]})
    write_rows(folder, "a", [audit_row(1, "many-steps", "pass", 0.1)], "audit.jsonl")
    table = protocols_table(evidence(folder), "Table 3", completed([*lines, audited]))
    assert table is not None
    assert [(row[0], row[-1]) for row in table.rows] == [("RSC-0.1, stand-in", "pass (40 images)")]


def test_different_networks_are_never_subtracted(tmp_path: Path) -> None:
    """PGD ended on networks a and b, the worst case on b and c: only b counts, and both cells say so."""
    pgd = tuple(at(run, entry="PGD") for run in "abc")
    reliable = tuple(at(f"{run}", suite="reliable", entry="worst") for run in "abc")
    both = line(numbers={"PGD": pgd, "reliable": reliable})
    worst = {
        run: rows("worst", right, size=40, suite="reliable", winner="APGD")
        for run, right in (("b", 4), ("c", 0))
    }
    runs = {
        "a": rows("PGD", 10, size=40),
        "b": [*rows("PGD", 5, size=40), *worst["b"]],
        "c": worst["c"],
    }
    folder = reproduce(tmp_path, [both], runs)
    table = protocols_table(evidence(folder), "Table 3", [both])
    assert table is not None
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["paper protocol: PGD"].startswith("50.0 [")
    assert cells["reliable protocol: worst case"].startswith("40.0 [")
    assert cells["PGD minus reliable"].startswith("+10.0 [")
    for name in ("clean", "paper protocol: PGD", "reliable protocol: worst case", "its vote"):
        assert cells[name].endswith("], 1 of 3 seeds"), name


def test_networks_without_any_in_common_get_no_numbers_side_by_side(tmp_path: Path) -> None:
    numbers = {"PGD": (at("a", entry="PGD"),), "reliable": (at("b", suite="reliable", entry="worst"),)}
    both = line(numbers=numbers)
    worst = rows("worst", 2, size=10, suite="reliable", winner="APGD")
    folder = reproduce(tmp_path, [both], {"a": rows("PGD", 5, size=10), "b": worst})
    table = protocols_table(evidence(folder), "Table 3", [both])
    assert table is not None
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["paper protocol: PGD"] == cells["reliable protocol: worst case"] == "nothing in common"
    assert cells["PGD minus reliable"] == cells["images"] == "-"


@pytest.mark.parametrize(("place", "is_subtracted"), [("table3", True), ("table4", False)])
def test_a_black_box_attack_is_not_subtracted_from(tmp_path: Path, place: str, is_subtracted: bool) -> None:
    numbers = {"PGD": (at("a", entry="PGD"),), "reliable": (at("a", suite="reliable", entry="worst"),)}
    both = line(place, numbers=numbers)
    worst = rows("worst", 2, size=40, suite="reliable", winner="APGD")
    folder = reproduce(tmp_path, [both], {"a": [*rows("PGD", 5, size=40), *worst]})
    table = protocols_table(evidence(folder), place, [both])
    assert table is not None
    assert ("PGD minus reliable" in table.columns) == is_subtracted
    assert any("No difference" in note for note in table.notes) != is_subtracted


def test_the_number_of_images_stands_beside_each_number(tmp_path: Path) -> None:
    both = line(
        numbers={"PGD": (at("a", entry="PGD"),), "reliable": (at("a", suite="reliable", entry="worst"),)}
    )
    worst = rows("worst", 2, size=16, suite="reliable", winner="APGD")
    folder = reproduce(tmp_path, [both], {"a": [*rows("PGD", 5, size=50), *worst]})
    found = ComparedLine(both, compare(evidence(folder), PAPER, both))
    (table,) = number_tables("Table 3", [found])
    position = table.columns.index("images")
    assert {row[position] for row in table.rows} == {"50; reliable 16"}
    measured = measured_table("Figure 1", [found])
    assert measured is not None
    assert measured.rows[0][-1] == "50; reliable 16"
    alone = ComparedLine(RSC, list(compared(tmp_path / "alone", size=12).values()))
    assert {row[position] for table in number_tables("Table 3", [alone]) for row in table.rows} == {"12"}


def test_conditions_are_named(tmp_path: Path) -> None:
    assert method_text(line(conditions={"draws": 20})) == "RSC-0.1, 20 draws per step"
    assert method_text(line(conditions={"draws": 1})) == "RSC-0.1, 1 draw per step"
    assert (
        method_text(line(conditions={"variance": 0.5, "eps": 4 / 255})) == "RSC-0.1, variance 0.5, eps 4/255"
    )
    assert method_text(line(conditions={"beta": 2})) == "RSC-0.1, beta 2"


def test_a_table_of_what_was_measured_has_a_column_per_attack(tmp_path: Path) -> None:
    found = list(compared(tmp_path, size=40).values())
    table = measured_table("Figure 3", [ComparedLine(RSC, found)])
    assert table is not None
    assert table.columns == ("network", "Clean", "FGSM", "PGD", "reliable protocol: worst case", "images")
    assert table.rows[0][0] == "RSC-0.1 on CIFAR-10, VGG-5"
    assert table.rows[0][4] == "not asked for"
    assert measured_table("Figure 3", []) is None


def test_verdicts_are_counted(tmp_path: Path) -> None:
    found = ComparedLine(RSC, list(compared(tmp_path).values()))
    assert verdict_counts([found]) == {
        "reproduced": 1, "not reproduced": 0, "inconclusive": 2, "no verdict": 2,
    }  # fmt: skip


def test_an_incomplete_cell_says_so_and_gets_no_verdict(tmp_path: Path) -> None:
    only = line(numbers={"FGSM": (at("a", entry="FGSM"),)})
    folder = reproduce(tmp_path, [only])
    write_rows(folder, "a", rows("FGSM", 6, size=40))
    found = {number.name: number for number in compare(evidence(folder), PAPER, only)}["FGSM"]
    assert measured_cell(found.measured).endswith(", incomplete")
    assert found.verdict == "no verdict: incomplete; 40 of 400 test images"


def test_the_papers_own_numbers_keep_their_status() -> None:
    derived = Number(
        place="table7", dataset=CIFAR, network=VGG5, method="SNN-RAT", column="FGSM", value=45.23,
        status=Status.DERIVED, note="a difference of the text",
    )  # fmt: skip
    table = paper_table("Table 7: the paper's numbers", [derived, printed("Clean", None, method="SNN-RAT")])
    assert table is not None
    assert table.rows == [[CIFAR, VGG5, "SNN-RAT", "45.23 (derived)", "not legible in the source"]]
    assert table.notes == ["SNN-RAT (FGSM): a difference of the text."]
    lost = paper_table("Table 1", [printed("Clean", None), printed("FGSM", None)])
    assert lost is not None
    assert lost.rows == [[CIFAR, VGG5, "RSC-0.1", "Clean, FGSM", "not legible in the source"]]
    assert paper_table("Table 1", []) is None


def test_a_number_of_an_unnamed_network_is_shown_but_gets_no_verdict(tmp_path: Path) -> None:
    other = replace(printed("FGSM", 60.0), place="table7", network="not legible")
    found = line("table7", numbers={"FGSM": (at("a", entry="FGSM"),)})
    folder = reproduce(tmp_path, [found], {"a": rows("FGSM", 6, eps=EPS)})
    number = compare(evidence(folder), StubPaper((other,), SIZE), found)[1]
    assert paper_cell(number.paper) == "60.00"
    assert number.verdict == "no verdict: the paper does not say on which network"
