"""A reproduction: cells once, interrupted anywhere, serial or on a cluster, failures that stop nobody."""

import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import torch

from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.experiments import reproduce as reproducing
from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.budget import SHORT
from rsc_snn.experiments.cells import AbstractCell, Certified, Network, Place, Probe, Trained
from rsc_snn.experiments.grid import cluster
from rsc_snn.experiments.grid.base import Watcher
from rsc_snn.experiments.grid.cluster import RayGrid
from rsc_snn.experiments.grid.outcome import Outcome
from rsc_snn.experiments.grid.serial import SerialGrid
from rsc_snn.experiments.plan import Filter, ask, joined, ordered, prerequisites, reproduction_of
from rsc_snn.experiments.reduced import network_for
from rsc_snn.experiments.reproduce import reproduce, unfinished
from rsc_snn.experiments.tables.context import Context
from rsc_snn.runs.files import append_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import STATES, last_states, read_reproduction
from tests.experiments.small_job import BUDGET, PLACES, rows_of, small_job, work
from tests.training.launch import FORKS

BOTH = ("Direct", "RSC-0.1")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    outcomes = reproduce(small_job(folder))
    assert [outcome.reason for outcome in outcomes if not outcome.is_done] == []
    return folder


def test_rows_stand_where_the_plan_says(undisturbed: Path) -> None:
    plan = read_reproduction(undisturbed)
    assert plan is not None
    assert {task.key for task in plan.tasks} == set(last_states(undisturbed))
    rows = rows_of(undisturbed)
    for line in plan.lines:
        for found in (found for each in line.numbers.values() for found in each):
            named = rows[f"{found.run}/{found.file}"]
            there = [row for row in named if all(row[key] == value for key, value in found.where.items())]
            assert [row["index"] for row in there] == list(range(found.limit or 0))


@pytest.mark.parametrize("harm", ["rows", "weights"])
def test_what_is_gone_or_changed_is_computed_again(undisturbed: Path, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(undisturbed, folder)
    job = small_job(folder)
    cells = ordered(ask(job.places, job.context, job.wanted, None))
    assert unfinished(cells, job.place) == []
    run = RunFolder(folder / "runs" / cells[-1].run)
    harmed = run.certificates if harm == "rows" else run.weights
    harmed.write_bytes(harmed.read_bytes()[:-100] if harm == "rows" else b"other weights")
    left = unfinished(cells, job.place)
    assert cells[-1] in left
    touched = [cell for cell in cells if cell.run == cells[-1].run]
    assert left == ([cells[-1]] if harm == "rows" else touched)


def test_a_second_call_computes_nothing(undisturbed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*.jsonl")}
    monkeypatch.setattr(Trained, "compute", None)
    assert reproduce(small_job(undisturbed)) == []
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*.jsonl")} == before


@pytest.mark.slow
def test_killed_anywhere_it_ends_with_the_same_rows(undisturbed: Path, tmp_path: Path) -> None:
    draw = random.Random(7)
    for _ in range(2):
        process = start(tmp_path)
        wait_for_growth(tmp_path, draw.randint(1, 40), process)
        process.kill()
        process.join()
    process = start(tmp_path)
    process.join()
    assert process.exitcode == 0
    assert rows_of(tmp_path) == rows_of(undisturbed)
    assert {state["state"] for state in last_states(tmp_path).values()} == {"done"}


def start(folder: Path) -> ForkServerProcess:
    process = FORKS.Process(target=work, args=(folder,))
    process.start()
    return process


def wait_for_growth(folder: Path, num_changes: int, process: ForkServerProcess) -> None:
    """Wait until its files have changed so often since the start, or it has ended."""
    seen, changes = snapshot(folder), 0
    while changes < num_changes and process.is_alive():
        time.sleep(0.02)
        now = snapshot(folder)
        changes += now != seen
        seen = now


def snapshot(folder: Path) -> list[tuple[str, int]]:
    found = []
    for path in folder.rglob("*"):
        try:
            found.append((str(path), path.stat().st_mtime_ns))
        except FileNotFoundError:  # a temporary file that was renamed
            continue
    return sorted(found)


@dataclass(frozen=True, kw_only=True)
class Stubborn(Trained):
    """Fails at the first attempts, as a file in its folder counts them."""

    num_failures: int = 1

    def compute(self, place: Place) -> None:
        count = place.folder / f"attempts-{self.network.seed}"
        count.write_text(count.read_text() + "x" if count.exists() else "x")
        if len(count.read_text()) <= self.num_failures:
            raise ArithmeticError("the dice\nfell badly")

    def is_there(self, place: Place) -> bool:
        return True


def small_network(method: str = "direct", seed: int = 0) -> Network:
    return network_for(BUDGET, "cifar10-vgg5", Arm(method, method), seed)


@pytest.mark.parametrize(("num_failures", "state"), [(1, "done"), (2, "failed")])
def test_a_cell_is_tried_twice(num_failures: int, state: str, tmp_path: Path) -> None:
    cell = Stubborn(network=small_network(), num_failures=num_failures)
    (outcome,) = SerialGrid().run([cell], Place(folder=tmp_path), Watcher())
    assert (outcome.state, outcome.attempts) == (state, 2)
    assert outcome.reason == (None if state == "done" else "ArithmeticError: the dice fell badly")


def test_a_failed_cell_is_told_and_stops_only_what_needs_it(tmp_path: Path) -> None:
    bad, good = Stubborn(network=small_network(seed=5), num_failures=9), small_network()
    orphan = Certified(network=bad.network, num_estimate=50, limit=2)
    impossible = Certified(network=good, num_estimate=50, limit=2)  # direct coding has no noise
    cells: list[AbstractCell] = [bad, Trained(network=good), impossible]
    found = {o.cell: o for o in SerialGrid().run(cells, Place(folder=tmp_path, compiled="off"), Watcher())}
    assert [found[cell.key].state for cell in cells] == ["failed", "done", "failed"]
    assert "InputError" in str(found[impossible.key].reason)
    failed = Trained(network=bad.network)
    watched = replace_compute(failed)
    (_, blocked) = SerialGrid().run([watched, orphan], Place(folder=tmp_path), Watcher())
    assert (blocked.state, blocked.attempts) == ("failed", 0)
    assert blocked.reason == "its network failed (InputError: no data)"


class _NoData(Trained):
    def compute(self, place: Place) -> None:
        raise InputError("no data")

    @property
    def key(self) -> str:
        return Trained(network=self.network).key


def replace_compute(cell: Trained) -> Trained:
    return _NoData(network=cell.network)


def test_a_failed_cell_is_tried_again_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = small_job(tmp_path)

    class Failing(SerialGrid):
        def run(self, cells: list[AbstractCell], place: Place, watcher: Watcher) -> Iterator[Outcome]:  # type: ignore[override]
            for cell in cells:
                yield Outcome(
                    cell=cell.key, state="failed", reason="no", seconds=0.0, attempts=2, device="cpu"
                )

    monkeypatch.setattr(reproducing, "expected_seconds", lambda cells, place: 0.0)
    outcomes = reproduce(replace(job, grid=Failing()))
    assert {outcome.state for outcome in outcomes} == {"failed"}
    asked = ask(job.places, job.context, job.wanted, None)
    assert [cell.key for cell in unfinished(ordered(asked), job.place)] == [o.cell for o in outcomes]


@pytest.mark.slow
def test_ray_gives_the_same_rows_and_reports_what_fails(undisturbed: Path, tmp_path: Path) -> None:
    """One run folder, so that cells follow one another in one process, which imports torch once."""
    pytest.importorskip("ray")
    job = small_job(tmp_path)
    impossible = Certified(network=small_network("rsc0.1"), num_estimate=1)  # so few can prove nothing
    cells = [*ordered(ask(["certified"], job.context, job.wanted, None)), impossible]
    assert [type(cell) for cell in cells] == [Trained, Certified, Certified]
    assert len({cell.run for cell in cells}) == 1
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    outcomes = list(RayGrid("local").run(cells, job.place, Watcher()))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    rows = {name: rows for name, rows in rows_of(undisturbed).items() if name.endswith("/certificates.jsonl")}
    assert rows_of(tmp_path) == rows
    states = {outcome.cell: (outcome.state, outcome.attempts) for outcome in outcomes}
    assert states == {cell.key: ("done", 1) for cell in cells[:-1]} | {impossible.key: ("failed", 2)}
    told = {key: state["evidence"] for key, state in last_states(undisturbed).items()}
    assert {o.cell: o.evidence for o in outcomes if o.is_done} == {c.key: told[c.key] for c in cells[:-1]}


def test_a_cell_that_no_machine_can_hold_is_told_before_the_start() -> None:
    class Small:
        @staticmethod
        def nodes() -> list[dict[str, object]]:
            return [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {"GPU": 8.0}}]

    cluster._require_room(Small, {"num_cpus": 2})
    with pytest.raises(InputError, match="needs 3 CPU, and no machine of the cluster has more than 2"):
        cluster._require_room(Small, {"num_cpus": 3})
    with pytest.raises(InputError, match="needs 1 GPU, and no machine of the cluster has more than 0"):
        cluster._require_room(Small, {"num_gpus": 1})


def test_no_cluster_is_told_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    grid = RayGrid("127.0.0.1:1")
    with pytest.raises(InputError, match="no Ray cluster at '127.0.0.1:1'"):
        list(grid.run([], Place(folder=tmp_path), Watcher()))


def test_networks_come_before_what_needs_them_and_folders_are_used_in_turn(tmp_path: Path) -> None:
    job = small_job(tmp_path)
    cells = ordered(ask(job.places, job.context, job.wanted, None))
    assert len({cell.key for cell in cells}) == len(cells)
    seen: set[str] = set()
    waits = prerequisites(cells)
    by_folder: dict[str, list[str]] = {}
    for cell in cells:
        assert set(waits[cell.key]) <= seen
        if not isinstance(cell, Trained):
            assert {Trained(network=network).key for network in cell.needs} <= set(waits[cell.key])
        before = by_folder.setdefault(cell.run, [])
        assert not before or before[-1] in waits[cell.key]
        before.append(cell.key)
        seen.add(cell.key)


def test_a_second_table_joins_the_first(tmp_path: Path) -> None:
    context, wanted, place = Context(BUDGET), Filter(methods=BOTH), Place(folder=tmp_path)
    one, other = (
        reproduction_of((name,), context, wanted, ask([name], context, wanted, None), place)
        for name in PLACES
    )
    both = joined(one, other)
    assert both.places == ("table4", "certified")
    assert {line.place for line in both.lines} == {"table4", "certified"}
    assert {task.key for task in both.tasks} == {task.key for task in (*one.tasks, *other.tasks)}
    assert joined(both, other) == both
    direct, ours = (
        reproduction_of(("table4",), context, part, ask(["table4"], context, part, None), place)
        for part in (Filter(methods=("Direct",)), Filter(methods=("RSC-0.1",)))
    )
    assert joined(direct, ours).lines == one.lines
    assert joined(direct, ours).lines == joined(ours, direct).lines
    both.write(tmp_path)
    assert read_reproduction(tmp_path) == both


def test_the_cost_of_a_cell_is_that_of_all_calls(tmp_path: Path) -> None:
    rows = [("a", "failed", 5.0), ("b", "done", 1.0), ("a", "done", 0.5)]
    append_rows(tmp_path / STATES, [{"cell": cell, "state": state, "seconds": s} for cell, state, s in rows])
    found = last_states(tmp_path)
    assert {key: (row["state"], row["seconds"]) for key, row in found.items()} == {
        "a": ("done", 5.5),
        "b": ("done", 1.0),
    }


def test_another_budget_in_the_same_folder_is_refused(undisturbed: Path) -> None:
    job = small_job(undisturbed, name="short")
    with pytest.raises(
        RunFolderError, match="holds a reproduction with budget smoke, got short; choose another"
    ):
        reproduce(job)


def test_lines_whose_data_is_gone_keep_their_rows(tmp_path: Path) -> None:
    context, wanted, place = Context(SHORT), Filter(methods=("RSC-0.1",)), Place(folder=tmp_path)
    asked = ask(["table5"], context, wanted, None)
    there = reproduction_of(("table5",), context, wanted, asked, place)
    gone = replace(there, lines=tuple(replace(line, numbers={}) for line in there.lines), tasks=())
    assert joined(there, gone).lines == there.lines
    assert joined(there, gone).tasks == there.tasks


def test_missing_data_is_said_in_the_line_or_refused_if_it_was_asked_for(tmp_path: Path) -> None:
    context = Context(SHORT)
    with pytest.raises(InputError, match="cifar10"):  # nothing is left to do
        ask(["table5"], context, Filter(), tmp_path)
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "train.parquet").touch()
    asked = ask(["table5"], context, Filter(), tmp_path)
    assert [bool(found.cells) for found in asked] == [True, True, False, False]
    assert all(found.line.reductions[0].startswith("not run: ") for found in asked[2:])
    with pytest.raises(InputError, match="cifar100"):
        ask(["table5"], context, Filter(dataset="cifar100"), tmp_path)


def test_unknown_rows_and_data_sets_offer_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"unknown row 'RSC-0.2'; did you mean 'RSC-0.[15]'"):
        ask(["table5"], Context(SHORT), Filter(methods=("RSC-0.2",)), None)
    with pytest.raises(ValueError, match=r"did you mean 'cifar100'"):
        Filter(dataset="cifar1000")
    with pytest.raises(InputError, match="table5 has no row for --dataset imagenet"):
        ask(["table5"], Context(SHORT), Filter(dataset="imagenet"), None)


def test_more_work_is_expected_to_take_longer(tmp_path: Path) -> None:
    probe, place = Probe(torch.device("cpu")), Place(folder=tmp_path)
    network = small_network("rsc0.1")
    few, many = (Certified(network=network, num_estimate=n, limit=4) for n in (100, 100_000))
    assert many.expected_seconds(probe, place) == pytest.approx(
        few.expected_seconds(probe, place) * 100_100 / 200
    )
    longer = replace(
        network, recipe=replace(network.recipe, training=replace(network.recipe.training, epochs=50))
    )
    assert probe.training(longer) > 5 * probe.training(network)
