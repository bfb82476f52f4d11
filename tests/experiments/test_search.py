"""A search: validation images alone, rows in the order of the plan, nothing computed twice."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsc_snn.data import Digits
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation.aims import Robust, TradeOff
from rsc_snn.experiments.cells import AbstractCell, Place, Trained
from rsc_snn.experiments.grid.base import AbstractGrid, Watcher
from rsc_snn.experiments.grid.outcome import Outcome
from rsc_snn.experiments.grid.serial import SerialGrid
from rsc_snn.experiments.search.plan import Candidate, Protocol, read_plan
from rsc_snn.report.ranking import ranking_table, winner_of
from rsc_snn.runs.files import read_rows
from tests.experiments.small_search import PLAN, SMALL, changed, small_search


@pytest.fixture(autouse=True)
def _closed_test_set(monkeypatch: pytest.MonkeyPatch) -> None:
    load = Digits.load

    def guarded(self: Digits, split: Any, root: Path | None) -> Any:
        if split == "test":
            raise AssertionError("the test set was opened")
        return load(self, split, root)

    monkeypatch.setattr(Digits, "load", guarded)


def shares_right(folder: Path, row: Any) -> list[float]:
    """Share of right draws under the worst case, image by image, from the rows of a candidate's run."""
    found = read_rows(folder / "runs" / row["run"] / "validation.jsonl")
    worst = sorted((r for r in found if r["entry"] == "worst"), key=lambda r: r["index"])
    return [r["adversarial_counts"][r["label"]] / r["num_draws"] for r in worst]


class StoppedError(Exception):
    pass


class StoppingGrid(AbstractGrid):
    """Is killed after so many cells."""

    def __init__(self, number: int):
        self.number = number

    def run(self, cells: Sequence[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:
        for number, outcome in enumerate(SerialGrid().run(cells, place, watcher)):
            if number == self.number:
                raise StoppedError
            yield outcome


def test_a_search_that_was_stopped_goes_on_and_one_that_is_done_computes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        small_search(tmp_path, grid=StoppingGrid(2))
    (first,) = read_rows(tmp_path / "search.jsonl")
    assert first["candidate"] == "noisy"
    found = small_search(tmp_path)
    rows = read_rows(tmp_path / "search.jsonl")
    assert [row["candidate"] for row in rows] == ["noisy", "plain"], "in the order of the plan"
    assert rows[0] == first
    assert found.num_measured == 2
    assert {row["candidate"] for row in found.rows} == {"noisy", "plain"}
    for row in rows:
        assert (row["split"], row["num_images"], row["images_trained"]) == ("validation", 8, 64)
        assert row["clean"][1] <= row["clean"][0] <= row["clean"][2]
        assert row["training_minutes"] > 0 < row["evaluation_minutes"]
        run = tmp_path / "runs" / row["run"]
        assert not (run / "attacks.jsonl").exists()
        worst = [r for r in read_rows(run / "validation.jsonl") if r["entry"] == "worst"]
        shares = [r["adversarial_counts"][r["label"]] / r["num_draws"] for r in worst]
        assert row["robust"][0] == pytest.approx(sum(shares) / 8)
    assert len({(row["first_index"], row["last_index"]) for row in rows}) == 1, "the same images"
    leader, rival = (shares_right(tmp_path, row) for row in found.rows)
    (gap,) = found.gaps.values()
    assert list(found.gaps) == [found.rows[1]["candidate"]]
    assert gap.value == pytest.approx(sum(a - b for a, b in zip(leader, rival, strict=True)) / 8)
    assert gap.value == pytest.approx(found.rows[0]["robust"][0] - found.rows[1]["robust"][0])
    assert gap.low < gap.value < gap.high

    class NoGrid(AbstractGrid):
        def run(self, cells: Sequence[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:
            assert cells == []
            yield from ()

    again = small_search(tmp_path, grid=NoGrid())
    assert again.rows == found.rows
    assert read_rows(tmp_path / "search.jsonl") == rows

    other = replace(PLAN, protocol=replace(PLAN.protocol, images=9))
    with pytest.raises(RunFolderError, match="holds a search with another protocol or seed"):
        small_search(tmp_path, other)
    fewer = replace(PLAN, set=(*PLAN.set, "training.num_validation=16"))
    with pytest.raises(
        RunFolderError, match="holds a search on other validation images than 16 of the first 96"
    ):
        small_search(tmp_path, fewer, grid=NoGrid())
    assert read_rows(tmp_path / "search.jsonl") == rows
    assert read_plan(tmp_path / "search.yaml") == PLAN, "the file is a plan again"
    smaller = replace(PLAN, candidates=PLAN.candidates[:1], objective=TradeOff())
    found = small_search(tmp_path, smaller, grid=NoGrid())
    assert [row["candidate"] for row in found.rows] == ["noisy"]
    table = ranking_table(found.rows, smaller.objective, num_measured=found.num_measured, gaps=found.gaps)
    assert any("the best of 2 networks" in note for note in table.notes), "also those of earlier plans"


def test_halving_leaves_the_worse_half_behind(tmp_path: Path) -> None:
    failing = Candidate(label="diverges", recipe="digits-vgg5-direct", set=("training.learning_rate=1e30",))
    plan = replace(
        PLAN, candidates=(failing, *PLAN.candidates), rungs=(1,), set=(*SMALL, "training.epochs=2")
    )
    told: list[tuple[int, int]] = []
    found = small_search(
        tmp_path,
        plan,
        is_halving=True,
        on_stage=lambda stage, left, num_done, seconds: told.append((stage, len(left))),
    )
    rows = read_rows(tmp_path / "search.jsonl")
    assert [row["candidate"] for row in rows[:3]] == ["diverges", "noisy", "plain"]
    assert [(row["stage"], row["epochs"]) for row in rows] == [(1, 1)] * 3 + [(2, 2)] * 2
    assert told == [(1, 6), (2, 4)], "two of three go on"
    assert rows[0]["state"] == "failed"
    assert "DivergedError" in rows[0]["reason"]
    assert rows[0]["robust"] is None
    assert [row["stage"] for row in found.rows] == [2, 2, 1]
    table = ranking_table(found.rows, plan.objective, num_measured=found.num_measured, gaps=found.gaps)
    assert [line[1] for line in table.rows] == ["1", "2", "-"]
    assert found.num_measured == 4
    assert list(found.gaps) == [found.rows[1]["candidate"]], "who was left behind is not compared"
    assert [line[7] == "-" for line in table.rows] == [True, False, True]
    winner = winner_of(found.rows, plan.objective)
    assert winner == found.rows[0]
    notes = " ".join(table.notes)
    assert "is optimistic: it was chosen as the best of 4 networks" in notes
    assert "measure it again on the test split" in notes
    assert "diverges failed: its network failed (DivergedError" in notes
    assert winner_of(found.rows, Robust(clean_at_least=1.0)) is None or winner["clean"][0] == 1


def test_what_would_fail_later_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    def refused(words: str, plan: Any, **options: Any) -> None:
        with pytest.raises(InputError, match=words):
            small_search(tmp_path / "never", plan, **options)
        assert not (tmp_path / "never").exists()

    def with_last(*words: str, recipe: str = "digits-vgg5-direct") -> Any:
        last = Candidate(label="last", recipe=recipe, set=words)
        return replace(PLAN, candidates=(*PLAN.candidates, last))

    refused("candidate 'last': unknown recipe", with_last(recipe="digits-vgg5-dirct"))
    refused("candidate 'last': unknown field of Recipe 'neurons'", with_last("neurons=LIF"))
    refused("candidate 'last': --set expects FIELD=VALUE", with_last("neuron"))
    refused("candidates 'plain' and 'last' are the same network", with_last("training.epochs=1"))
    refused(
        "candidate 'last': keeps 16 of the first 96 .* make them equal",
        with_last("training.num_validation=16"),
    )
    refused("candidate 'last': its training keeps no images", with_last("training.num_validation=0"))
    refused("candidate 'last': its teacher was trained without 141", with_last(recipe="digits-vgg5-ersct"))
    refused("candidate 'last': width_divisor", with_last("network.width_divisor=3"))
    many = replace(PLAN, protocol=replace(PLAN.protocol, images=33))
    refused("protocol.images 33 exceeds its 32 validation images", many)
    refused("--halving needs rungs in the plan", PLAN, is_halving=True)
    refused("rungs must be shorter than its 1 epochs, got 1", replace(PLAN, rungs=(1,)), is_halving=True)


def test_plans_that_cannot_be() -> None:
    with pytest.raises(InputError, match="two candidates are called 'same'"):
        changed(PLAN, lambda candidate: replace(candidate, label="same"))
    with pytest.raises(InputError, match="at least one candidate"):
        replace(PLAN, candidates=())
    with pytest.raises(InputError, match="rungs must be rising"):
        replace(PLAN, rungs=(2, 1))
    with pytest.raises(InputError, match="suite paper has no budget, got 'quick'"):
        Protocol(budget="quick")
    with pytest.raises(InputError, match="unknown budget 'quik'"):
        Protocol(suite="reliable", budget="quik")
    assert Protocol(suite="reliable").attacks().budget == "quick"


def test_the_command_of_a_cell_names_the_split(tmp_path: Path) -> None:
    from rsc_snn.experiments.search.trials import trial

    found = trial(PLAN, PLAN.candidates[0], 1, None)
    words = found.measured.command(Place(folder=tmp_path))
    assert words[2:4] == ["--split", "validation"]
    assert isinstance(found.trained, Trained)
    assert "--set" in found.trained.command(Place(folder=tmp_path))
