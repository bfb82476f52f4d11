"""Sides take turns; rows, memory, tasks in processes of their own, and the files of a run."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import rsc_snn as rs
from rsc_snn.benchmarks.backends import PLAIN
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.cases import all_cases, case_by_name
from rsc_snn.benchmarks.processes import alone
from rsc_snn.benchmarks.running import Results, run_benchmarks
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.timing import Side, measured, take_turns
from rsc_snn.benchmarks.update import Learner, count_flops
from rsc_snn.benchmarks.workload import Workload
from rsc_snn.errors import BenchmarkError, InputError, RangeError, UnknownNameError
from rsc_snn.runs.files import read_rows
from tests.benchmarks.rows import ENVIRONMENT, row

CPU = torch.device("cpu")
SMALL = Workload(network=rs.networks.VGG5(hidden_width=64, width_divisor=8), batch_size=2, num_steps=2)
QUICK = Settings(rounds=2, threads=1, is_quick=True)


def test_all_sides_run_once_in_every_round_and_begin_by_turns() -> None:
    calls: list[str] = []
    works = [lambda name=name: calls.append(name) for name in "abc"]
    found = take_turns(works, rounds=3, device=CPU)
    assert "".join(calls) == "abc" + "bca" + "cab" + "abc", "the first round warms up"
    assert [len(seconds) for seconds in found] == [3, 3, 3]


def test_seconds_are_those_of_the_side_that_took_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("rsc_snn.benchmarks.timing.time.perf_counter", lambda: clock[0])

    def advance(seconds: float) -> None:
        clock[0] += seconds

    sides = [
        Side(name="ours", backend="plain", work=lambda: advance(2.0)),
        Side(name="ANN", work=lambda: advance(0.5), is_checked=None, facts={"flops": 7}),
    ]
    ours, twin = measured("training", {"num_steps": 4}, sides, QUICK)
    assert (ours["seconds"], twin["seconds"]) == ([2.0, 2.0], [0.5, 0.5])
    assert (ours["median_seconds"], twin["median_seconds"], twin["flops"]) == (2.0, 0.5, 7)
    assert (ours["outputs_checked"], twin["outputs_checked"]) == (True, None)
    assert ours["quick"] is True


def test_an_even_number_of_rounds_has_the_mean_of_the_middle_ones() -> None:
    sides = [Side(name="ours", work=lambda: None)]
    found = measured("neuron", {}, sides, QUICK)
    assert len(found[0]["seconds"]) == 2
    assert found[0]["median_seconds"] == pytest.approx(sum(found[0]["seconds"]) / 2, abs=1e-6)


PEAKS = """
import torch
from rsc_snn.benchmarks.peak import peak_of

for size in (64, 256):
    work = lambda: [torch.ones(size * 2**18).sum() for _ in range(3)]  # of 4 bytes each, and let go
    print(peak_of(work, torch.device("cpu")))
"""


def test_peak_memory_is_what_the_work_holds_at_once() -> None:
    """In a fresh process: commands that other tests call make theirs keep what is freed."""
    done = subprocess.run([sys.executable, "-c", PEAKS], check=True, capture_output=True, text=True)
    found = done.stdout.split()
    if found == ["None", "None"]:
        pytest.skip("this system does not tell")
    small, large = map(int, found)
    assert small == pytest.approx(64 * 2**20, rel=0.1)
    assert large == pytest.approx(256 * 2**20, rel=0.1)


def test_an_update_moves_the_weights_of_every_layer() -> None:
    learner = Learner(SMALL.spiking(PLAIN), SMALL, CPU)
    before = [p.detach().clone() for p in learner.classifier.parameters()]
    learner.update()
    after = list(learner.classifier.parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert learner.state_bytes == 8 * sum(p.numel() for p in after)
    learner.free_gradients()
    assert all(p.grad is None for p in after)


def test_operations_of_an_update_by_hand() -> None:
    """Channels 8, 16, 16, hidden 8: twice the products, forward and for both gradients, T * B times.

    The first layer has no gradient of the image.
    """
    first = 8 * 3 * 9 * 32 * 32
    later = 16 * 8 * 9 * 16 * 16 + 16 * 16 * 9 * 16 * 16 + 16 * 8 * 8 * 8 + 8 * 8 + 8 * 10
    assert count_flops(SMALL, CPU) == 2 * 2 * 2 * (2 * first + 3 * later)


def test_the_twin_has_the_weights_of_the_network_and_sees_every_step_as_an_image() -> None:
    twin, network = SMALL.twin(PLAIN), SMALL.spiking(PLAIN)
    assert twin.network.state_dict().keys() == network.state_dict().keys()
    current = torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    logits = twin.eval()(current)
    torch.testing.assert_close(logits[1], twin(current[1:])[0])


def test_cases_have_names_and_places_of_their_own() -> None:
    cases = all_cases()
    assert [case.name for case in cases] == (
        ["neuron", "training", "attacks", "certification", "loader", "growth", "coldstart", "ceilings"]
    )
    assert len({case.position for case in cases}) == len(cases)
    with pytest.raises(UnknownNameError, match=r"unknown benchmark 'neurons'; did you mean 'neuron'\?"):
        case_by_name("neurons")


def test_less_than_one_is_refused() -> None:
    with pytest.raises(RangeError, match="--rounds expects at least 1, got 0"):
        Settings(rounds=0)
    with pytest.raises(RangeError, match="--threads expects at least 1, got -1"):
        Settings(threads=-1)


def test_bad_input_of_a_case_comes_back_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^case neuron has no tasks, got \{'what': 1\}$"):
        alone("neuron", QUICK, {"what": 1})


def test_a_process_that_fails_is_told_with_its_last_line() -> None:
    with pytest.raises(BenchmarkError, match="benchmark attacks failed in its process .*KeyError"):
        alone("attacks", QUICK, {"attack": "none", "side": "ours", "backend": "plain"})


@pytest.mark.slow
def test_the_memory_of_an_update_is_measured_alone() -> None:
    from rsc_snn.spec import to_data

    task = {"side": "ANN", "backend": None, "workload": to_data(SMALL)}
    found = alone("training", QUICK, task)
    assert found["peak_bytes"] is None or 2**18 < found["peak_bytes"] < 2**27


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of a compiler
@pytest.mark.parametrize("name", ["attacks", "loader", "growth", "ceilings"])
def test_a_case_measures_all_of_its_sides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny, in this process, with the memory of other processes left out."""
    monkeypatch.setattr("rsc_snn.benchmarks.cases.attacks.alone", lambda *given: {"peak_bytes": 1})
    case: AbstractCase = case_by_name(name)
    rows = case.measure(QUICK)
    assert rows
    assert {found["case"] for found in rows} == {name}
    assert all(len(found["seconds"]) == 2 and min(found["seconds"]) > 0 for found in rows)


@pytest.mark.slow
def test_votes_are_counted_by_a_plain_and_a_compiled_network() -> None:
    """In a process of its own: the checks of annotations cannot be compiled."""
    rows = alone("certification", QUICK)
    names = [found["side"] for found in rows]
    assert names[:3] == ["plain passes", "plain passes, folded", "certifying"]
    assert set(names[3:]) <= {"certifying"}
    assert {(found["amount"], found["unit"]) for found in rows} == {(16, "votes")}


def test_rows_of_other_cases_are_kept_and_the_environments_name_their_cases(tmp_path: Path) -> None:
    results = Results(tmp_path)
    other = {**ENVIRONMENT, "python": "3.12"}
    results.take("training", [row("ours", [1.0])], ENVIRONMENT)
    results.take("neuron", [row("ours", [2.0], case="neuron")], ENVIRONMENT)
    assert [entry["cases"] for entry in results.environments] == [["neuron", "training"]]
    results.take("training", [row("ours", [3.0])], other)
    assert [found["seconds"] for found in results.rows] == [[2.0], [3.0]]
    assert [(entry["cases"], entry["python"]) for entry in results.environments] == [
        (["neuron"], "3.11.7"),
        (["training"], "3.12"),
    ]


def test_a_missing_peer_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rsc_snn.benchmarks.peers import norse

    monkeypatch.setattr(norse.Norse, "distribution", "no-such-distribution")
    monkeypatch.setattr(
        "rsc_snn.benchmarks.running.alone", lambda name, settings: [row("copy", [1.0], case=name)]
    )
    lines: list[str] = []
    results = run_benchmarks(["ceilings"], tmp_path / "new", QUICK, lines.append)
    assert "Norse is not installed: it has no rows" in lines
    assert results.environments[0]["peers"]["Norse"] is None
    assert read_rows(tmp_path / "new" / "benchmark.jsonl")[0]["case"] == "ceilings"
