"""The one table of the README: paper, paper's protocol, reliable protocol, certified; and blocks of pages."""

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from rsc_snn.certification.bounds import lower_bound
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.paper import numbers
from rsc_snn.report.formats.markdown import markdown_table
from rsc_snn.report.reproduction.blocks import main, with_blocks
from rsc_snn.report.reproduction.honest import BEST, ROWS, honest_table
from rsc_snn.report.reproduction.sections import place_sections
from rsc_snn.report.tables import Table
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import Line
from tests.report.folders import DIGITS, at, attack_row, evidence, line, reproduce, write_rows, write_state

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CUTS = ("1 of 100 epochs", "T=4 for 8")


def rows(right: int, size: int = 40) -> list[Row]:
    doubted: dict[str, Any] = {
        "suite": "reliable",
        "budget": "quick",
        "entry": "worst",
        "flags": ["quick-budget"],
    }
    return [
        *(attack_row(i, right, entry=entry) for entry in ("FGSM", "PGD") for i in range(size)),
        *(attack_row(i, right - 1, **doubted) for i in range(size // 2)),
    ]


def certificates(proven: list[float], **changes: Any) -> list[Row]:
    """Images that are certified at these radii; 0 is abstained."""
    return [
        {
            "index": i, "label": 0, "predicted": 0 if radius else None, "radius": radius, "norm": "l2",
            "counts": [1000, 0], "num_draws": 1000, "num_select": 100, "num_estimate": 1000, "alpha": 0.001,
            "seed": 0, "target": None, "scale": 0.1**0.5, "num_values": 3072, "batch_size": 8,
            "rows_per_pass": 256, "compiled": False, **changes,
        }
        for i, radius in enumerate(proven)
    ]  # fmt: skip


def measured(method: str, run: str, place: str = "table3", **changes: Any) -> Line:
    numbers = {
        "FGSM": (at(run, entry="FGSM"),),
        "PGD": (at(run, entry="PGD"),),
        "reliable": (at(run, entry="worst"),),
    }
    return line(place, method, numbers=numbers, reductions=CUTS, **changes)


def certified(method: str, run: str) -> Line:
    return line("certified", method, numbers={"certified": (at(run, file="certificates.jsonl"),)})


def add_certificates(folder: Path, run: str, proven: list[float], **changes: Any) -> None:
    write_rows(folder, run, certificates(proven, **changes), "certificates.jsonl")


def table_of(*folders: Path, best: Path | None = None) -> Table:
    return honest_table([evidence(folder) for folder in folders], {BEST: best} if best else {}, numbers)


def row_of(table: Table, name: str) -> list[str]:
    (found,) = (row for row in table.rows if row[0].split(" (")[0] == name)
    return list(found)


def test_a_network_has_paper_both_protocols_and_certificates_of_its_own_run(tmp_path: Path) -> None:
    lines = [measured("RSC-0.1", "a"), certified("RSC-0.1", "a")]
    folder = reproduce(tmp_path / "small", lines, {"a": rows(4)}, budget="small")
    add_certificates(folder, "a", [0.6] * 8 + [0.3] * 16 + [0.0] * 8)
    table = table_of(folder)
    assert row_of(table, "CIFAR-10 VGG-5, RSC-0.1") == [
        "CIFAR-10 VGG-5, RSC-0.1 (1)",
        "clean 80.29; FGSM 51.29; PGD 37.28",
        "100.0 [91.2, 100.0]",
        "40.0 [26.3, 55.4]",
        "40.0 [26.3, 55.4]",
        "30.0 [14.5, 51.9], not reliable: the budget is quick",
        "75.0 [57.9, 86.7]",
        "25.0 [13.3, 42.1]",
        "40; reliable 20; certified 32",
    ]
    assert "(1): small, budget small, one seed: 1 of 100 epochs, T=4 for 8." in table.notes
    assert any(note.startswith("Fewer than 30") for note in table.notes)


def test_the_paper_is_shown_as_it_is_legible(tmp_path: Path) -> None:
    table = table_of(reproduce(tmp_path / "a", []))
    assert [row[0] for row in table.rows] == [f"{w.dataset} {w.network}, {w.method}" for w in ROWS]
    assert row_of(table, "CIFAR-10 VGG-5, ANN")[1] == "not legible in the source"
    direct = row_of(table, "CIFAR-10 VGG-5, Direct")
    assert direct[1] == "clean 90.69 (derived); FGSM, PGD not legible in the source"
    assert direct[2:] == ["not measured"] * 4 + ["-"] * 3
    assert row_of(table, "CIFAR-10 VGG-5, best network")[1] == "-"
    for row in table.rows[-3:]:
        assert row[2:6] == ["ready, not measured"] * 4
        assert row[1].startswith("clean ")


def test_certificates_of_another_run_kind_or_reach_are_not_shown(tmp_path: Path) -> None:
    lines = [
        measured("RSC-0.1", "a"),
        certified("RSC-0.1", "other"),
        measured("RSC-0.01", "b"),
        certified("RSC-0.01", "b"),
    ]
    folder = reproduce(tmp_path, lines, {"a": rows(4), "b": rows(4), "other": rows(4)})
    add_certificates(folder, "other", [0.6] * 32)
    assert lower_bound(1000, 1000, 0.001) > 0.99
    add_certificates(folder, "b", [0.24] * 32, scale=0.1)  # so many draws prove 0.246 at most
    table = table_of(folder)
    assert row_of(table, "CIFAR-10 VGG-5, RSC-0.1")[6:] == ["-", "-", "40; reliable 20"]
    assert row_of(table, "CIFAR-10 VGG-5, RSC-0.01")[6:] == ["-", "-", "40; reliable 20"]
    for changes in ({"target": 0.25}, {"norm": "l1"}):
        other = reproduce(tmp_path / next(iter(changes)), lines, {"a": rows(4), "b": rows(4)})
        add_certificates(other, "b", [0.6] * 32, **changes)
        assert row_of(table_of(other), "CIFAR-10 VGG-5, RSC-0.01")[6:8] == ["-", "-"]


def test_the_first_folder_with_rows_is_taken_whole(tmp_path: Path) -> None:
    first = reproduce(tmp_path / "a", [measured("RSC-0.1", "gone"), measured("Direct", "d")], {"d": rows(2)})
    lines = [measured("RSC-0.1", "r"), measured("Direct", "d"), certified("Direct", "d")]
    second = reproduce(tmp_path / "b", lines, {"r": rows(5), "d": rows(9)})
    add_certificates(second, "d", [0.3] * 32)
    table = table_of(first, second)
    assert row_of(table, "CIFAR-10 VGG-5, RSC-0.1")[4].startswith("50.0 [")
    direct = row_of(table, "CIFAR-10 VGG-5, Direct")
    assert direct[4].startswith("20.0 ["), "of the first folder"
    assert direct[6] == "-", "and nothing of the second beside it"
    assert row_of(table_of(second, first), "CIFAR-10 VGG-5, Direct")[4].startswith("90.0 [")
    assert {direct[0][-3:], row_of(table, "CIFAR-10 VGG-5, RSC-0.1")[0][-3:]} == {"(1)", "(2)"}


def test_stand_ins_are_never_taken_and_gaps_are_told(tmp_path: Path) -> None:
    lines = [
        measured("Direct", "d", stand_in=DIGITS),
        measured("RSC-0.1", "a"),
        measured("ANN", "n", conditions={"eps": 4 / 255}),
    ]
    folder = reproduce(tmp_path, lines, {"d": rows(3), "n": rows(3)})
    write_rows(folder, "a", [row for row in rows(4) if row["entry"] != "worst"])
    write_state(folder, "a", "failed", reason="no memory")
    table = table_of(folder)
    assert row_of(table, "CIFAR-10 VGG-5, Direct")[2:6] == ["not measured"] * 4
    assert row_of(table, "CIFAR-10 VGG-5, ANN")[2:6] == ["not measured"] * 4, "another strength"
    assert row_of(table, "CIFAR-10 VGG-5, RSC-0.1")[2:6] == ["not measured"] * 4, "rows of a failed cell"


RECIPE: dict[str, Any] = {
    "name": "cifar10-vgg5-rsc0.03-adv",
    "coding": {"kind": "RandomizedSmoothing", "variance": 0.03},
    "network": {"kind": "VGG5", "hidden_width": 1024, "width_divisor": 4},
    "num_steps": 2,
    "objective": {
        "kind": "Adversarial",
        "objective": {"kind": "TET", "weight": 0.05},
        "attack": {"kind": "PGD", "eps": 8 / 255, "num_steps": 1},
    },
    "training": {
        "epochs": 12, "num_images": 11_000, "num_validation": 1000, "batch_size": 32, "learning_rate": 0.05,
    },
}  # fmt: skip
IN_WORDS = (
    "recipe cifar10-vgg5-rsc0.03-adv, coding RandomizedSmoothing(variance=0.03), 12 epochs, 10,000 training "
    "images, T=2, hidden width 1024, width divided by 4, batch 32, rate 0.05, trained by Adversarial of TET "
    "on PGD images of eps 8/255 (1 step)"
)


def run_of(folder: Path, recipe: object = RECIPE, subjects: tuple[str, str, str] = ("n", "n", "n")) -> Path:
    """Rows of both protocols and certificates, each about a subject."""
    folder.mkdir(parents=True)
    RunFolder(folder).write_spec({"recipe": recipe} if recipe else {})
    for row in (found := rows(7)):
        row["subject"] = subjects[row["suite"] == "reliable"]
    append_rows(folder / "attacks.jsonl", found)
    append_rows(folder / "certificates.jsonl", certificates([0.6] * 40, subject=subjects[2]))
    return folder


def test_the_best_network_says_its_recipe_and_its_folder(tmp_path: Path) -> None:
    folder = reproduce(tmp_path / "a", [])
    (note,) = (n for n in table_of(folder, best=run_of(tmp_path / "s" / "x")).notes if n.startswith("(1)"))
    assert note == f"(1): the run x in s, one seed: {IN_WORDS}."
    training = {**RECIPE["training"], "precision": "bfloat16"}
    plain = {"objective": {"kind": "CrossEntropy"}, "network": {"kind": "VGG11"}, "training": training}
    inside = run_of(tmp_path / "t" / "runs" / "y", {**RECIPE, **plain})
    (note,) = (n for n in table_of(folder, best=inside).notes if n.startswith("(1)"))
    assert note.startswith("(1): the run y in t, one seed: ")
    assert note.endswith("T=2, batch 32, rate 0.05, products in bfloat16, trained by CrossEntropy.")
    by_hand = table_of(folder, best=run_of(tmp_path / "u" / "z", None)).notes[-1]
    assert by_hand.endswith("its recipe is not recorded.")
    for number, wrong in enumerate(({"name": "x"}, "text", {**RECIPE, "objective": None})):
        with pytest.raises(RunFolderError, match="has a recipe without"):
            table_of(folder, best=run_of(tmp_path / str(number) / "z", wrong))


@pytest.mark.parametrize("subjects", [("n", "n", "m"), ("n", "m", "n"), ("m", "n", "n")], ids="".join)
def test_rows_of_several_networks_in_a_run_folder_are_refused(
    tmp_path: Path, subjects: tuple[str, str, str]
) -> None:
    best = run_of(tmp_path / "s" / "x", subjects=subjects)
    with pytest.raises(RunFolderError, match=r"are about 2 networks \(subjects m, n\)"):
        table_of(reproduce(tmp_path / "a", []), best=best)


def test_certificates_say_their_error_and_draws(tmp_path: Path) -> None:
    lines = [certified("RSC-0.1", "a"), measured("RSC-0.1", "a"), certified("Direct", "b")]
    folder = reproduce(tmp_path / "a", [*lines, measured("Direct", "b")], {"a": rows(4), "b": rows(4)})
    add_certificates(folder, "a", [0.6] * 32)
    terms = "alpha 0.001, 1,000 draws and 100 others that choose the class"
    (note,) = (note for note in table_of(folder).notes if note.startswith("Certified"))
    assert f"with probability at least 1 - alpha per image over the draws of the noise ({terms})." in note
    add_certificates(folder, "b", [0.6] * 32, alpha=0.01)
    table = table_of(folder)
    (note,) = (note for note in table.notes if note.startswith("Certified"))
    assert "alpha and draws differ and stand with each network." in note
    feet = [note for note in table.notes if note.startswith("(")]
    assert [foot.rpartition("Certified with ")[2] for foot in feet] == [
        f"{terms.replace('01', '1', 1)}.",
        f"{terms}.",
    ]
    assert row_of(table, "CIFAR-10 VGG-5, RSC-0.1")[0] != row_of(table, "CIFAR-10 VGG-5, Direct")[0]
    bare = table_of(reproduce(tmp_path / "none", [])).notes
    assert any("over the draws of the noise. A dash" in note for note in bare)


def test_the_number_of_seeds_is_that_of_the_line(tmp_path: Path) -> None:
    lines = [line(numbers={"PGD": (at("a", entry="PGD"), at("b", entry="PGD"))}, reductions=CUTS)]
    runs = {"a": rows(4), "b": [{**row, "seed": 1} for row in rows(6)]}
    notes = table_of(reproduce(tmp_path, lines, runs)).notes
    assert any("budget paper, 2 seeds: 1 of 100" in note for note in notes), "the plan's number is 1"


def test_the_best_network_is_a_row_of_its_run_folder(tmp_path: Path) -> None:
    folder, best = reproduce(tmp_path / "a", []), tmp_path / "search" / "best"
    best.mkdir(parents=True)
    with pytest.raises(RunFolderError, match="has no rows of eps 8/255"):
        table_of(folder, best=best)
    others = [
        attack_row(i, 9, entry="PGD", **changes) for i in range(40) for changes in ({"seed": 3}, {"eps": 0.1})
    ]
    append_rows(best / "attacks.jsonl", [*others, *rows(7)])
    few = certificates([0.3] * 32, num_estimate=500, num_draws=500, counts=[500, 0])
    append_rows(best / "certificates.jsonl", [*few, *certificates([0.6] * 40)])
    RunFolder(best).write_spec({"recipe": RECIPE})
    table = table_of(folder, best=best)
    found = row_of(table, "CIFAR-10 VGG-5, best network")
    assert found[4].startswith("70.0 [")
    assert found[5].startswith("60.0 [")
    assert found[5].endswith("not reliable: the budget is quick")
    assert found[7:] == ["100.0 [91.2, 100.0]", "40; reliable 20; certified 40"]
    assert any("the run best in search" in note for note in table.notes)


def block(words: str, body: str = "\nold\n") -> str:
    return f"above\n<!-- rows: {words} -->\n{body}<!-- end -->\nbelow\n"


def test_a_block_is_made_anew_and_the_rest_stays(tmp_path: Path) -> None:
    reproduce(tmp_path / "a", [measured("RSC-0.1", "a")], {"a": rows(4)})
    made = with_blocks(block("honest a") + block("a table3", ""), tmp_path)
    assert "old" not in made
    assert made == with_blocks(made, tmp_path)
    assert markdown_table(table_of(tmp_path / "a")) in made
    section = place_sections(evidence(tmp_path / "a"))["table3"]
    assert all(markdown_table(table) in made for table in section.tables)
    assert made.startswith("above\n<!-- rows: honest a -->\n\n**The paper")
    assert made.count("\n\n<!-- end -->\nbelow\n") == 2
    assert with_blocks("# No block\n", tmp_path) == "# No block\n"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (block("honest"), "expected 'honest FOLDER"),
        (block("honest a best=x best=y"), "expected 'honest FOLDER"),
        (block("honest a worst=x"), "expected 'honest FOLDER"),
        (block("a"), "expected 'honest FOLDER"),
        (block("a table3 more"), "expected 'honest FOLDER"),
        (block("gone table3"), "no reproduction.json in"),
        (block("honest a gone"), "no reproduction.json in"),
        (block("honest a best=gone"), "has no rows of eps 8/255"),
        (block("a tabel3"), "did you mean 'table3'"),
        ("<!-- rows: a table3 -->\n", "has no end"),
        (f"<!-- rows: a table3 -->\n{block('a table3')}", "a start inside the block 'a table3'"),
        ("text\n<!-- end -->\n", "line 2: an end without a start"),
    ],
)
def test_a_wrong_block_is_one_line_status_2_and_nothing_written(
    tmp_path: Path, page: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reproduce(tmp_path / "a", [measured("RSC-0.1", "a")], {"a": rows(4)})
    monkeypatch.chdir(tmp_path)
    good, bad = Path("good.md"), Path("bad.md")
    good.write_text(block("honest a"))
    bad.write_text(page)
    assert main([str(good), str(bad)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert "bad.md" in error
    assert (good.read_text(), bad.read_text()) == (block("honest a"), page)
    assert main([str(good)]) == 0
    assert "| network |" in good.read_text()


def test_a_page_that_is_not_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text("text\n")
    bad.write_bytes(b"caf\xe9\n")
    assert main([str(good), str(bad)]) == 2
    assert capsys.readouterr().err == f"{str(bad)!r} is not UTF-8 text; save it as that\n"
    assert bad.read_bytes() == b"caf\xe9\n"


@pytest.mark.parametrize("refused", ["write_text", "replace"])
def test_where_one_page_cannot_be_written_none_is(
    tmp_path: Path, refused: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reproduce(tmp_path / "a", [measured("RSC-0.1", "a")], {"a": rows(4)})
    monkeypatch.chdir(tmp_path)
    pages = [Path("one.md"), Path("closed") / "two.md"]
    pages[1].parent.mkdir()
    for page in pages:
        page.write_text(block("honest a"))
    owner: Any = Path if refused == "write_text" else os
    usual = getattr(owner, refused)

    def closed(path: Path, *args: Any, **kwargs: Any) -> Any:
        if "closed" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return usual(path, *args, **kwargs)

    monkeypatch.setattr(owner, refused, closed)
    assert main(list(map(str, pages))) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "two.md" in error
    assert "Permission denied" in error
    assert [page.read_text() for page in pages] == [block("honest a")] * 2
    assert sorted(each.name for each in tmp_path.rglob("*.md*")) == ["one.md", "two.md"], "no part is left"


def test_no_page_and_a_page_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "gone.md")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.usefixtures("unchecked")
def test_the_pages_say_what_the_rows_say() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"@[A-Z]+@", text), f"{page.name} has places that are not filled in"
        made = with_blocks(text, ROOT)
        name = page.relative_to(ROOT)
        assert made == text, f"make it anew: python -m rsc_snn.report.reproduction.blocks {name}"


def test_a_wrong_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a block without a kind"):
        with_blocks("<!-- rows:  -->\n<!-- end -->\n", tmp_path)
