"""Tables, curves and the page from hand-made rows."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rsc_snn.errors import InputError
from rsc_snn.report.curves import accuracy_over_eps, draw_accuracy_over_eps
from rsc_snn.report.page import write_report
from rsc_snn.report.tables import attack_table, paper_table, strength
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.folder import RunFolder


def row(index: int, *, entry: str, eps: float, right: int, norm: str = "linf", **changes: Any) -> Row:
    """Ten draws of two classes; the clean image is right in all of them."""
    return {
        "suite": "paper", "budget": "full", "seed": 0, "eps": eps, "norm": norm, "entry": entry,
        "index": index, "label": 0, "attack": entry, "gradient": "BPTT()", "num_draws": 10,
        "clean_counts": [10, 0], "adversarial_counts": [right, 10 - right],
        "heldout_counts": [right, 10 - right], "heldout_margin": 0.0,
        "linf": eps, "l2": 1.0, "flags": [], "batch_size": 4, "draw_chunk": 1, **changes,
    }  # fmt: skip


def rows_of(entry: str, eps: float, rights: list[int]) -> list[Row]:
    return [row(i, entry=entry, eps=eps, right=right) for i, right in enumerate(rights)]


FGSM_8 = rows_of("FGSM", 8 / 255, [10, 5] * 20)
PGD_8 = rows_of("PGD", 8 / 255, [10, 0] * 20)
PGD_4 = rows_of("PGD", 4 / 255, [10, 2] * 20)


def test_the_papers_table_has_accuracy_and_qte_with_intervals() -> None:
    """Clean 1, FGSM 0.75, PGD 0.5: F-QTE 8 * 1.75 / 2 = 7, P-QTE 8 * 1.5 / 2 = 6."""
    table = paper_table({"direct": FGSM_8 + PGD_8})
    assert table is not None
    assert table.columns == ("network", "clean %", "FGSM %", "PGD %", "F-QTE", "P-QTE")
    ((name, *cells),) = table.rows
    assert name == "direct"
    assert [cell.split(" ")[0] for cell in cells] == ["100.0", "75.0", "50.0", "7.00", "6.00"]
    assert all("[" in cell for cell in cells)
    assert table.notes[0].startswith("Test images: 40; scoring draws per image: 10")
    assert len(table.notes) == 1


def test_few_images_and_flags_are_said() -> None:
    few = [dict(r, flags=["unchanged"]) for r in rows_of("FGSM", 8 / 255, [10, 5])]
    table = paper_table({"direct": few})
    assert table is not None
    assert any("Fewer than 30" in note for note in table.notes)
    assert any("'unchanged'" in note and "100.0 %" in note for note in table.notes)


def test_an_attack_with_other_settings_is_named() -> None:
    table = paper_table({"direct": rows_of("PGD(step_size=0.02)", 8 / 255, [5] * 40)})
    assert table is not None
    assert table.rows[0][2:4] == ["-", "50.0 [35.2, 64.8]"]
    assert table.notes[-1] == "PGD is PGD(step_size=0.02), not the paper's."


def test_comparisons_show_one_suite_and_seed_of_each_run() -> None:
    """A single step of PGD on few images, in the file first, must not pass for the paper's PGD."""
    weak = [dict(r, suite="list-1") for r in rows_of("PGD(num_steps=1)", 8 / 255, [10] * 5)]
    other = [dict(r, seed=1) for r in PGD_8]
    table = paper_table({"direct": weak + other + FGSM_8 + PGD_8})
    assert table is not None
    assert [cell.split(" ")[0] for cell in table.rows[0][1:4]] == ["100.0", "75.0", "50.0"]
    assert list(accuracy_over_eps({"direct": weak + other + FGSM_8 + PGD_8})) == ["FGSM", "PGD"]
    lines = attack_table("run", weak + PGD_8).rows
    assert [line[0] for line in lines] == ["PGD(num_steps=1) (list-1, seed 0)", "PGD (paper, seed 0)"]


def test_lines_over_other_images_are_marked() -> None:
    table = paper_table({"a": FGSM_8, "b": FGSM_8[:35]})
    assert table is not None
    assert "Warning: the lines are not over the same images." in table.notes


def test_a_run_has_a_line_per_entry_and_strength() -> None:
    table = attack_table("run", FGSM_8 + PGD_8 + PGD_4 + rows_of("worst", 8 / 255, [5] * 40))
    assert [line[:3] for line in table.rows] == [
        ["FGSM", "linf", "8/255"],
        ["PGD", "linf", "8/255"],
        ["PGD", "linf", "4/255"],
        ["worst case", "linf", "8/255"],
    ]
    assert table.rows[3][5].startswith("0.0"), "five of ten votes are a tie, which is wrong"


def test_curves_start_at_the_clean_accuracy() -> None:
    curves = accuracy_over_eps({"direct": PGD_8 + PGD_4})
    assert {s: e.value for s, e in curves["PGD"]["direct"].items()} == pytest.approx({0: 1.0, 8: 0.5, 4: 0.6})


def test_strengths_are_written_as_people_do() -> None:
    assert strength(8 / 255, "linf") == "8/255"
    assert strength(2.55 / 255, "linf") == "2.55/255"
    assert strength(0.5, "l2") == "0.5"


class Checker(HTMLParser):
    """Collects what a page refers to and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        run = RunFolder(tmp_path / "runs" / name)
        run.path.mkdir(parents=True)
        run.write_spec({"schema": 1, "recipe": {"name": f"net-{name}"}})
        append_rows(run.attacks, FGSM_8 + PGD_8 + PGD_4)
        epoch = {"epoch": 1, "loss": 1.0, "train_accuracy": 0.5, "validation_accuracy": None, "seconds": 60.0}
        append_rows(run.training, [epoch])
        device = {"type": "cpu", "name": "<b>a processor</b>"}
        entry = {
            "started": "now",
            "command": ["rsc-snn", "train", name],
            "device": device,
            "packages": {"torch": "2"},
        }
        run.environment.write_text(json.dumps([entry]))
    return tmp_path


def test_the_page_is_self_contained_and_escaped(folder: Path) -> None:
    page = write_report(folder)
    assert page == folder / "report.html"
    text = page.read_text()
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert all(link.startswith(("data:", "#")) for link in checker.links)
    assert "net-a" in text
    assert "net-b" in text
    assert "rsc-snn train a" in text
    assert "<b>a processor" not in text
    assert (folder / "accuracy-over-eps.png").read_bytes().startswith(b"\x89PNG")
    assert len(text) < 5_000_000


def test_a_run_without_rows_says_so(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_spec({"schema": 1})
    assert "No attack was run yet" in write_report(tmp_path, tmp_path / "page.html").read_text()


def test_nothing_to_draw_and_nothing_to_report(tmp_path: Path) -> None:
    assert not draw_accuracy_over_eps({"direct": []}, tmp_path / "curves.png")
    with pytest.raises(InputError, match="no run in"):
        write_report(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        write_report(tmp_path / "nowhere")
