"""Arms beside their reference, and attacks beside the paper's, on the same images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsc_snn.evaluation.differences import mean_difference
from rsc_snn.experiments.budget import SMALL
from rsc_snn.experiments.places import table_functions
from rsc_snn.experiments.tables.context import Context
from rsc_snn.report.comparison import signed_difference
from rsc_snn.report.reproduction.blocks import with_blocks
from rsc_snn.report.reproduction.choices import choices_table
from rsc_snn.report.reproduction.completing import completed
from rsc_snn.report.reproduction.differences import ABSENT, differences_table
from rsc_snn.report.reproduction.paired import EXTENDED_NOTE, FEW_NOTE
from rsc_snn.report.reproduction.place import PLACES, QUESTIONS, place_of
from rsc_snn.report.reproduction.protocols import is_in_protocols, protocols_table
from rsc_snn.report.reproduction.references import reference_of
from rsc_snn.report.reproduction.sections import place_sections
from rsc_snn.report.tables import Table
from rsc_snn.runs.files import Row
from rsc_snn.runs.reproduction import Line
from tests.report.folders import StubPaper, at, attack_row, evidence, line, reproduce, write_rows

SIZE = 40


def rows(right: int, clean: int = 10, size: int = SIZE, first: int = 0, **changes: Any) -> list[Row]:
    """FGSM one draw above PGD; the worst case half of PGD, on eight images, of the quick budget."""
    doubted = {"suite": "reliable", "budget": "quick", "entry": "worst", "flags": ["quick-budget"]}
    indices = range(first, first + size)
    return [
        *(attack_row(i, right, clean=clean, entry="PGD", **changes) for i in indices),
        *(attack_row(i, right + 1, clean=clean, entry="FGSM", **changes) for i in indices),
        *(attack_row(i, right // 2, clean=clean, **{**doubted, **changes}) for i in indices[:8]),
    ]


def arm(place: str, method: str, *runs: str, is_reliable: bool = False, **conditions: float) -> Line:
    numbers = {name: tuple(at(run, entry=name) for run in runs) for name in ("FGSM", "PGD")}
    if is_reliable:
        numbers["reliable"] = tuple(at(run, entry="worst") for run in runs)
    return line(place, method, numbers=numbers, conditions=conditions)


def table_of(folder: Path, lines: list[Line], runs: dict[str, list[Row]], **plan: Any) -> Table:
    place = lines[0].place
    reproduce(folder, lines, runs, places=[place], **plan)
    table = differences_table(evidence(folder), place_of(place).name, lines)
    assert table is not None
    return table


def column(table: Table, name: str) -> list[str]:
    return [row[list(table.columns).index(name)] for row in table.rows]


def test_every_arm_is_subtracted_from_the_first(tmp_path: Path) -> None:
    lines = [arm("timesteps", "RSC-0.1", f"t{steps}", T=steps) for steps in (1, 4)]
    mixed = rows(6, 8)
    for row in mixed:
        if row["index"] % 4 == 0:
            row["adversarial_counts"] = [2, 8]
    table = table_of(tmp_path, lines, {"t1": rows(3), "t4": mixed})
    assert column(table, "arm") == ["RSC-0.1, T=1", "RSC-0.1, T=4"]
    assert [text.split()[0] for text in column(table, "PGD")] == ["30.0", "50.0"]
    assert column(table, "PGD minus reference")[0] == "reference" or "reference" in table.rows[0]
    expected = mean_difference([-0.1 if i % 4 == 0 else 0.3 for i in range(SIZE)])
    assert column(table, "PGD minus reference")[1] == signed_difference(expected)
    assert column(table, "clean minus reference")[1].startswith("-20.0 [")
    assert column(table, "images") == ["40", "40"]
    assert EXTENDED_NOTE in table.notes
    assert FEW_NOTE not in table.notes
    assert any("not over trainings" in note and "one seed" in note for note in table.notes)


@pytest.mark.parametrize("others", [("b",), ("b", "c")], ids=len)
def test_another_arm_never_becomes_the_reference(tmp_path: Path, others: tuple[str, ...]) -> None:
    methods = {"b": "RSC-0.1 + Adv", "c": "RSC-0.1 + Adv 8/255"}
    lines = [arm("adversarial", methods[run], run) for run in others]
    lines.append(arm("adversarial", "Direct", "d"))
    table = table_of(tmp_path, lines, {run: rows(3) for run in "bcd"})
    assert column(table, "PGD minus reference") == [ABSENT] * len(others) + ["-"]
    assert column(table, "clean minus reference") == [ABSENT] * len(others) + ["reference"]
    assert [text.split()[0] for text in column(table, "PGD")] == ["30.0"] * len(lines)


@pytest.mark.parametrize(
    ("place", "reference", "other"),
    [
        ("parts", ("RSC-0.1", {}), ("E-RSCT", {})),
        ("resampling", ("RSC-I", {"variance": 0.1}), ("RSC-II", {"variance": 0.1})),
        ("surrogates", ("triangle of width 1", {}), ("triangle of width 2", {})),
        ("timesteps", ("RSC-0.1", {"T": 1}), ("RSC-0.1", {"T": 2})),
        ("tradeoff", ("RSC", {"variance": 0.01}), ("RSC", {"variance": 0.05})),
        ("variance", ("Direct", {"variance": 0.0}), ("RSC", {"variance": 0.01})),
    ],
)
def test_each_question_has_its_reference_wherever_it_stands(
    tmp_path: Path, place: str, reference: tuple[str, dict[str, float]], other: tuple[str, dict[str, float]]
) -> None:
    first, second = (
        replace(arm(place, name, run), conditions=conditions)
        for run, (name, conditions) in {"a": reference, "b": other}.items()
    )
    runs = {"a": rows(2), "b": rows(5)}
    found = column(table_of(tmp_path / "both", [second, first], runs), "PGD minus reference")
    assert found[0].startswith("+30.0 [")
    assert column(table_of(tmp_path / "one", [second], runs), "PGD minus reference") == [ABSENT]


def test_the_plans_of_the_questions_hold_every_reference() -> None:
    functions, context = table_functions(), Context(SMALL)
    for place in QUESTIONS:
        lines = [asked.line for asked in functions[place.key](context)]
        found = [reference_of(each, lines) for each in lines]
        assert all((each is None) == (place.key == "protocol") for each in found), place.key


@pytest.mark.parametrize("place", ["surrogates", "timesteps"])
def test_questions_without_the_reliable_protocol_work_as_blocks(tmp_path: Path, place: str) -> None:
    named = {
        "surrogates": [arm(place, "triangle of width 1", "a"), arm(place, "arctan of slope 2", "b")],
        "timesteps": [arm(place, "RSC-0.1", "a", T=1), arm(place, "RSC-0.1", "b", T=4)],
    }
    lines = named[place]
    reproduce(tmp_path / "r", lines, {"a": rows(2), "b": rows(5)}, places=[place])
    made = with_blocks(f"<!-- rows: r {place} -->\n<!-- end -->\n", tmp_path)
    assert "each arm minus its reference, on the same images" in made
    assert "| reference |" in made
    assert "+30.0 [" in made


def test_the_trainings_are_those_of_the_lines_that_are_shown(tmp_path: Path) -> None:
    runs = {"a0": rows(2), "a1": rows(4, seed=1), "b0": rows(3)}
    two = [arm("parts", "RSC-0.1", "a0", "a1")]
    assert any("there are 2 trainings of each arm" in note for note in table_of(tmp_path, two, runs).notes)
    mixed = [*two, arm("parts", "E-RSCT", "b0")]
    notes = table_of(tmp_path / "mixed", mixed, runs).notes
    assert any("there are 1 to 2 trainings of each arm" in note for note in notes)
    one = table_of(tmp_path / "one", mixed[1:], runs)
    assert any("there is one training of each arm (one seed)" in note for note in one.notes)
    later = table_of(tmp_path / "later", [arm("parts", "RSC-0.1", "x", "y", "z")], {})
    assert any("there are 3 trainings of each arm" in note for note in later.notes)


def test_a_line_gets_nothing_from_other_seeds() -> None:
    three = line("table3", numbers={"PGD": tuple(at(f"a{k}", entry="PGD") for k in range(3))})
    worst = {"reliable": (at("a0", entry="worst"),)}
    one = line("eps", numbers=worst, conditions={"eps": 8 / 255})
    audited = line("table1", numbers={"audit": (at("a0", file="audit.jsonl"),)})
    same = line("eps", numbers={"reliable": tuple(at(f"a{k}", entry="worst") for k in range(3))})
    found, strength, _ = completed([three, one, audited])
    assert found == three
    assert strength == one
    assert set(completed([three, same])[0].numbers) == {"PGD", "reliable"}


def test_groups_have_their_own_reference(tmp_path: Path) -> None:
    runs = {"a1": rows(3), "b1": rows(4), "a2": rows(5), "b2": rows(9)}
    lines = [
        arm("resampling", method, f"{run}{k}", variance=variance)
        for k, variance in ((1, 0.01), (2, 0.1))
        for method, run in (("RSC-I", "a"), ("RSC-II", "b"))
    ]
    found = column(table_of(tmp_path / "r", lines, runs), "PGD minus reference")
    assert [text.split()[0] for text in found] == ["-", "+10.0", "-", "+40.0"]
    lines = [
        arm("adversarial", method, run)
        for method, run in (
            ("Direct", "a1"),
            ("Direct + Adv", "b1"),
            ("RSC-0.1", "a2"),
            ("RSC-0.1 + Adv", "b2"),
        )
    ]
    found = column(table_of(tmp_path / "a", lines, runs), "PGD minus reference")
    assert [text.split()[0] for text in found] == ["-", "+10.0", "-", "+40.0"]


def test_doubts_stand_beside_every_reliable_number(tmp_path: Path) -> None:
    lines = [
        arm("adversarial", f"Direct{k}", run, is_reliable=True) for k, run in (("", "a"), (" + Adv", "b"))
    ]
    table = table_of(tmp_path, lines, {"a": rows(4), "b": rows(8)})
    for text in column(table, "reliable protocol: worst case"):
        assert text.endswith("not reliable: the budget is quick")
    found = column(table, "reliable minus reference")[1]
    assert found.startswith("+20.0 [")
    assert found.endswith("*, not reliable: the budget is quick")
    assert column(table, "images") == ["40; reliable 8"] * 2
    assert FEW_NOTE in table.notes
    assert "reliable" not in column(table, "PGD minus reference")[1]


def test_what_is_missing_is_said_in_the_cells(tmp_path: Path) -> None:
    lines = [
        arm("parts", "RSC-0.1", "a0", "a1"),
        arm("parts", "later", "gone0", "gone1"),
        arm("parts", "half", "b0", "gone"),
        arm("parts", "other images", "c0", "c1"),
        arm("parts", "the same", "a0", "a1"),
    ]
    runs = {
        "a0": rows(2),
        "a1": rows(4, seed=1),
        "b0": rows(3),
        "c0": rows(1, first=100),
        "c1": rows(1, first=100, seed=1),
    }
    found = column(
        table_of(
            tmp_path,
            lines,
            runs,
        ),
        "PGD minus reference",
    )
    assert found[1] == "not run yet"
    assert found[2].startswith("+10.0 ["), "the networks of seed 0 alone, not the mean over both"
    assert found[2].endswith(", 1 of 2 seeds")
    assert found[3] == "nothing in common"
    table = table_of(tmp_path, lines, {})
    assert "the same network" in table.rows[4]


def test_an_unfinished_arm_is_paired_on_its_images_and_says_so(tmp_path: Path) -> None:
    lines = [arm("parts", "RSC-0.1", "a"), arm("parts", "half", "b")]
    write_rows(tmp_path, "b", rows(5, size=10))
    first = rows(3)
    for row in first:
        if row["index"] >= 10:
            row["adversarial_counts"] = [10, 0]
    text = column(table_of(tmp_path, lines, {"a": first}), "PGD minus reference")[1]
    assert text.startswith("+20.0 ["), "over the ten images of both"
    assert text.endswith(", incomplete, on 10 images")


def test_several_seeds_are_paired_and_their_spread_shown(tmp_path: Path) -> None:
    lines = [arm("parts", "RSC-0.1", "a0", "a1"), arm("parts", "E-RSCT", "b1", "b0")]
    runs = {"a0": rows(2), "a1": rows(6, seed=1), "b1": rows(7, seed=1), "b0": rows(5)}
    text = column(table_of(tmp_path, lines, runs), "PGD minus reference")[1]
    assert text.startswith("+20.0 [")
    assert text.endswith("]*, sd over 2 seeds 14.1"), "+30 of seed 0 and +10 of seed 1"


PROTOCOL = line(
    "protocol",
    "RSC-0.1",
    numbers={name: (at("a", entry=name, suite="protocol"),) for name in ("PGD", "20 steps", "10 draws")},
)


def of_protocol() -> list[Row]:
    rights = {"PGD": 6, "20 steps": 5, "10 draws": 2}
    return [attack_row(i, n, entry=k, suite="protocol") for k, n in rights.items() for i in range(32)]


def test_each_choice_is_subtracted_from_the_papers(tmp_path: Path) -> None:
    reproduce(tmp_path, [PROTOCOL], {"a": of_protocol()}, places=["protocol"])
    table = choices_table(evidence(tmp_path), "Choices", [PROTOCOL])
    assert table is not None
    assert column(table, "attack") == ["none: clean", "PGD, the paper's", "20 steps", "10 draws"]
    found = column(table, "minus the paper's PGD")
    assert found[1] == "reference"
    assert [text.split()[0] for text in found[2:]] == ["-10.0", "-40.0"]
    assert found[3] == signed_difference(mean_difference([-0.4] * 32))
    assert column(table, "images") == ["32"] * 4


def test_choices_stay_out_of_other_tables(tmp_path: Path) -> None:
    white = line(
        "table3",
        numbers={"PGD": (at("a", entry="PGD", suite="paper"),), "reliable": (at("a", entry="worst"),)},
    )
    lines = completed([white, PROTOCOL])
    assert "reliable" not in lines[1].numbers
    assert [is_in_protocols(each) for each in lines] == [True, False]
    reproduce(tmp_path, lines, {"a": of_protocol()}, places=["protocol"])
    assert protocols_table(evidence(tmp_path), "Choices", [PROTOCOL]) is None
    (table,) = place_sections(evidence(tmp_path), StubPaper())["protocol"].tables
    assert "each attack minus the paper's" in table.title


def test_arms_of_a_question_get_nothing_from_tables_of_the_same_label() -> None:
    measured = line("table3", numbers={"PGD": (at("a"),), "reliable": (at("a", entry="worst"),)})
    longer = arm("timesteps", "RSC-0.1", "sixteen", T=16)
    assert completed([measured, longer])[1] == longer
    asked = arm("adversarial", "RSC-0.1", "other", is_reliable=True)
    plain = line("table3", numbers={"PGD": (at("a"),)})
    assert "reliable" not in completed([asked, plain])[1].numbers


@pytest.mark.parametrize("place", QUESTIONS, ids=lambda place: place.key)
def test_a_question_has_a_heading_and_a_table(tmp_path: Path, place: Any) -> None:
    is_protocol = place.key == "protocol"
    lines = [PROTOCOL] if is_protocol else [arm(place.key, m, m, variance=0.1) for m in "ab"]
    runs = {"a": of_protocol()} if is_protocol else {"a": rows(2), "b": rows(3)}
    reproduce(tmp_path, lines, runs, places=[place.key])
    section = place_sections(evidence(tmp_path), StubPaper())[place.key]
    assert section.title == PLACES[place.key].title
    assert section.words
    titles = [table.title for table in section.tables]
    assert titles
    assert all(title.startswith(f"{place.name}: ") for title in titles)
    assert place.name[0].isupper()
