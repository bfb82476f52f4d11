"""From rows to numbers: one seed as everywhere else, several seeds, and QTE over several strengths."""

import math
from pathlib import Path

import pytest

from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.intervals import Estimate, wilson
from rsc_snn.evaluation.qte import qte_estimate
from rsc_snn.evaluation.summary import paper_qte, summarise
from rsc_snn.report.reproduction.measured import (
    CLEAN,
    QTE,
    ROBUST,
    VOTE,
    qte_over_strengths,
)
from rsc_snn.report.reproduction.reading import read_evidence, shared_images
from tests.report.folders import EPS, at, attack_row, evidence, line, reproduce, write_rows, write_state

ROWS = [attack_row(i, [10, 4, 0][i % 3], clean=[10, 8][i % 2]) for i in range(40)]


def test_one_seed_is_what_every_other_table_says() -> None:
    summary = summarise(ROWS)
    for quantity, expected in (
        (CLEAN, summary.clean), (ROBUST, summary.robust), (VOTE, summary.vote), (QTE, paper_qte(ROWS)),
    ):  # fmt: skip
        found = quantity.measure([ROWS])
        assert found is not None
        assert found.estimate == pytest.approx(expected)
        assert found.num_images == 40
        assert found.spread is None


def test_seeds_are_averaged_per_image_and_counted_once() -> None:
    """Images 0.2 and 0.6 of one seed, 0.4 and 1.0 of the other: 0.3 and 0.8, mean 0.55 over two images."""
    first = [attack_row(0, 2), attack_row(1, 6)]
    second = [attack_row(0, 4, seed=1), attack_row(1, 10, seed=1), attack_row(2, 0, seed=1)]
    found = ROBUST.measure([first, second])
    assert found is not None
    assert found.estimate == pytest.approx(wilson(0.55, 2))
    assert found.seed_values == pytest.approx((0.4, 0.7))
    assert found.spread == pytest.approx(0.3 / math.sqrt(2))


def test_rows_that_were_not_scored_give_nothing() -> None:
    assert ROBUST.measure([[attack_row(0, 5, adversarial_counts=None)]]) is None
    assert CLEAN.measure([[attack_row(0, 5, adversarial_counts=None)]]) is not None
    assert CLEAN.measure([[attack_row(0, 5)], [attack_row(1, 5)]]) is None, "no image in common"


def test_qte_over_five_strengths_is_the_trapezoids() -> None:
    """Accuracies 1, 0.8, 0.6, 0.4, 0.2 at 0, 2, 4, 6, 8: a straight line, 8 * 0.6 = 4.8."""
    attacked = {
        float(s): {"a": [attack_row(i, 10 - s, eps=s / 255) for i in range(40)]} for s in (2, 4, 6, 8)
    }
    found = qte_over_strengths(attacked, (0, 2, 4, 6, 8))
    assert found is not None
    assert found.estimate.value == pytest.approx(4.8)
    assert found.estimate == pytest.approx(Estimate(*(8 * part for part in wilson(0.6, 40))))
    bent = {**attacked, 4.0: {"a": [attack_row(i, i % 11, eps=4 / 255) for i in range(40)]}}
    columns = [[1.0] * 40, [0.8] * 40, [(i % 11) / 10 for i in range(40)], [0.4] * 40, [0.2] * 40]
    found = qte_over_strengths(bent, (0, 2, 4, 6, 8))
    assert found is not None
    assert found.estimate == pytest.approx(qte_estimate((0, 2, 4, 6, 8), columns))
    del attacked[6.0]
    assert qte_over_strengths(attacked, (0, 2, 4, 6, 8)) is None


def test_strengths_are_paired_by_network_not_by_place() -> None:
    """Network a lacks 4/255, b has all: the QTE is that of b, whichever stands first."""
    b = {float(s): [attack_row(i, 10 - s, eps=s / 255) for i in range(40)] for s in (2, 4, 6, 8)}
    a = {float(s): [attack_row(i, 0, eps=s / 255) for i in range(40)] for s in (2, 6, 8)}
    attacked = {s: {**({"a": a[s]} if s in a else {}), "b": rows} for s, rows in b.items()}
    found = qte_over_strengths(attacked, (0, 2, 4, 6, 8))
    assert found is not None
    assert found.estimate.value == pytest.approx(4.8)
    assert len(found.seed_values) == 1
    assert qte_over_strengths({**attacked, 4.0: {}}, (0, 2, 4, 6, 8)) is None


def test_a_sample_knows_which_networks_it_has(tmp_path: Path) -> None:
    folder = reproduce(tmp_path, [line()], {"b": ROWS, "c": ROWS[:5]})
    write_state(folder, "a", "failed", reason="out of memory")
    places = [at(run, entry="PGD") for run in "abc"]
    evidence_ = evidence(folder)
    sample = evidence_.sample(places)
    assert sample.runs == ("b", "c")
    assert [len(rows) for rows in sample.by_run.values()] == [40, 5]
    other = evidence_.sample(places[:2])
    assert shared_images([sample, other]) == ({"b"}, set(range(40)))
    assert shared_images([sample]) == ({"b", "c"}, set(range(5)))
    kept = sample.kept({"b"}, {0, 1})
    assert (kept.runs, len(kept.seeds[0]), kept.note) == (("b",), 2, "1 of 3 seeds")
    assert shared_images([]) == (set(), set())


def test_rows_are_selected_by_every_field_and_below_the_limit(tmp_path: Path) -> None:
    others = [attack_row(i, 0, eps=EPS / 2) for i in range(4)] + [attack_row(0, 0, entry="FGSM")]
    folder = reproduce(tmp_path, [line()], {"a": [*others, *ROWS]})
    found = evidence(folder).sample([at("a", entry="PGD", eps=EPS, limit=5)])
    assert [row["index"] for row in found.seeds[0]] == [0, 1, 2, 3, 4]
    assert (found.num_asked, found.note, found.gaps) == (1, "", ())


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    folder = reproduce(tmp_path, [line()], {"a": ROWS})
    write_rows(folder, "half", ROWS[:3])
    write_rows(folder, "broken", ROWS[:3])
    write_state(folder, "broken", "failed", reason="out of memory")
    found = evidence(folder)
    assert found.sample([at("b", entry="PGD")]).gap == "not run yet"
    assert found.sample([at("a", entry="Square")]).gap == "no such rows"
    assert found.sample([at("broken", entry="PGD")]).gap == "failed: out of memory"
    assert found.sample([at("broken", entry="PGD")]).seeds == ()
    assert found.sample([at("half", entry="PGD")]).note == "incomplete"
    assert found.sample([at("a", entry="PGD"), at("b", entry="PGD"), at("broken")]).note == "1 of 3 seeds"
    assert found.sample([]).gap == "not asked for"


def test_a_cell_that_failed_and_then_ended_well_counts(tmp_path: Path) -> None:
    folder = reproduce(tmp_path, [line()])
    write_rows(folder, "a", ROWS)
    write_state(folder, "a", "failed", reason="lost connection")
    write_state(folder, "a")
    assert len(evidence(folder).sample([at("a", entry="PGD")]).seeds[0]) == 40


def test_rows_that_do_not_say_which_are_refused(tmp_path: Path) -> None:
    both = [attack_row(0, 5), attack_row(0, 5, eps=EPS / 2)]
    folder = reproduce(tmp_path, [line()], {"a": both})
    with pytest.raises(RunFolderError, match=r"several rows per image where \{'entry': 'PGD'\}"):
        evidence(folder).sample([at("a", entry="PGD")])


def test_rows_and_plans_of_another_version_are_refused_in_one_line(tmp_path: Path) -> None:
    old = {name: value for name, value in ROWS[0].items() if name != "clean_counts"}
    folder = reproduce(tmp_path / "rows", [line()], {"a": [old]})
    with pytest.raises(
        RunFolderError, match="line 1 of .*lacks 'clean_counts'.*not a row of this version"
    ) as err:
        evidence(folder).sample([at("a")])
    assert "\n" not in str(err.value)
    folder = reproduce(tmp_path / "plan", [line()])
    plan = folder / "reproduction.json"
    plan.write_text(plan.read_text().replace('"schema": 1', '"schema": 7'))
    with pytest.raises(RunFolderError, match="schema 7"):
        read_evidence(folder)
    folder = reproduce(tmp_path / "states", [line()])
    (folder / "cells.jsonl").write_text('{"state": "done"}\n')
    with pytest.raises(RunFolderError, match="lacks 'cell'"):
        read_evidence(folder)
    folder = reproduce(tmp_path / "file", [line()])
    with pytest.raises(RunFolderError, match=r"'votes\.jsonl', expected one of attacks\.jsonl"):
        evidence(folder).sample([at("a", file="votes.jsonl")])


def test_a_folder_without_a_plan_holds_no_reproduction(tmp_path: Path) -> None:
    assert read_evidence(tmp_path) is None
