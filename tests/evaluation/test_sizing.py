"""How many rows a pass may hold: by hand counts, by files that say what is free, and as a run settles it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import rsc_snn as rs
from rsc_snn.attacks import FGSM, PGD, Transfer
from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation import run as run_module
from rsc_snn.evaluation import sizing
from rsc_snn.evaluation.free_memory import free_of_system
from rsc_snn.evaluation.plan import Plan, make_plan
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.evaluation.sizing import bytes_kept, fitting_rows, measured_rows, most_kept, weight_bytes
from rsc_snn.gradients import (
    BPTT,
    AbstractGradient,
    AdaptiveSharpness,
    Ensemble,
    Expectation,
    PotentialDependent,
    StraightThroughClamp,
)
from rsc_snn.processes import Group
from rsc_snn.runs.files import append_rows, read_rows
from tests.gradients.toys import toy
from tests.helpers import seeded, small_classifier

pytestmark = pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")

RSC = rs.codings.RandomizedSmoothing(variance=0.1)
IMAGES = torch.rand(6, 1, 8, 8, generator=seeded(0))


@pytest.mark.parametrize(
    ("num_bytes", "per_row", "most", "expected"),
    [
        (6400, 100, 64, 64),
        (6399, 100, 64, 32),  # 63 fit
        (9999, 100, 64, 64),
        (9999, 100, 4096, 64),  # 99 fit
        (12800, 100, 4096, 128),
        (99, 100, 64, 1),
        (-5, 100, 64, 1),
        (10**6, 0, 64, 64),  # a pass that keeps nothing
        (10**6, 1, 63, 32),
    ],
)
def test_a_power_of_two_of_rows_fits(num_bytes: float, per_row: float, most: int, expected: int) -> None:
    assert fitting_rows(num_bytes, per_row, most=most) == expected


def plan_of(path: AbstractGradient) -> Plan:
    return make_plan([(FGSM(), path)], num_draws=4, seed=0, is_random=True, num_pixels=64, batch_size=8)


@pytest.mark.parametrize("num_rows", [1, 2, 16, 64])
@pytest.mark.parametrize("path", [BPTT(), Expectation(of=AdaptiveSharpness())], ids=repr)
def test_rows_follow_from_what_is_free(
    path: AbstractGradient, num_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly enough for so many rows, then a little less; statistics of a path need room for the batch."""
    classifier = small_classifier(RSC)
    per_row = 1.4 * most_kept(classifier, IMAGES[:4], plan_of(path)) / 4
    held = num_rows + 8 * (path != BPTT())
    for less, expected in ((-1, num_rows), (1, max(1, num_rows // 2))):
        free = int(2 * (weight_bytes(classifier) + held * per_row) - 2 * less)
        monkeypatch.setattr(sizing, "free_memory", lambda device, free=free: free)
        assert measured_rows(classifier, IMAGES, plan_of(path)) == expected
        monkeypatch.setattr(sizing, "free_memory", lambda device, free=free: 3 * free)
        assert measured_rows(classifier, IMAGES, plan_of(path), num_sharing=3) == expected


def test_unknown_memory_and_modules_that_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizing, "free_memory", lambda device: None)
    assert measured_rows(small_classifier(RSC), IMAGES, plan_of(BPTT())) == 64
    assert measured_rows(toy(), IMAGES, plan_of(BPTT())) == 8, "a batch at a time"


def test_what_a_pass_keeps_grows_with_its_rows_and_is_the_same_each_time() -> None:
    classifier = small_classifier(RSC)
    found = [bytes_kept(classifier, IMAGES[:count]) for count in (1, 2, 4, 4)]
    assert found[2] == found[3]
    assert found[2] - found[1] == 2 * (found[1] - found[0]) > 0
    assert all(parameter.requires_grad for parameter in classifier.parameters())


def test_the_path_that_keeps_most_decides() -> None:
    """An attacker's own derivative is left to autograd, which keeps every operation of every step."""
    classifier, probe = small_classifier(RSC), IMAGES[:4]
    least = bytes_kept(classifier, probe)
    for path in (PotentialDependent(), Expectation(of=StraightThroughClamp(of=PotentialDependent()))):
        assert most_kept(classifier, probe, plan_of(path)) == bytes_kept(
            classifier, probe, PotentialDependent()
        )
    assert bytes_kept(classifier, probe, PotentialDependent()) > 2 * least
    assert most_kept(classifier, probe, plan_of(Ensemble(paths=(BPTT(), PotentialDependent())))) > 2 * least
    assert most_kept(classifier, probe, plan_of(BPTT())) == least


def test_a_large_source_counts() -> None:
    large = small_classifier(RSC, num_steps=8)
    plan = make_plan(
        [Transfer(sources=(large,))], num_draws=4, seed=0, is_random=True, num_pixels=64, batch_size=8
    )
    assert most_kept(small_classifier(RSC), IMAGES[:4], plan) == bytes_kept(large, IMAGES[:4])


def write_system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {
    "proc/meminfo": "MemTotal:  900 kB\nMemFree:   10 kB\nMemAvailable:   600 kB\nHugePages_Total: 0\n"
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        (MACHINE, 600 * 1024),
        ({"memory.max": "max\n", "memory.current": "5\n"}, 600 * 1024),
        ({"memory.max": "9000\n", "memory.current": "8000\n"}, 1000),
        (
            {
                "memory.max": "9000\n",
                "memory.current": "8000\n",
                "memory.stat": "anon 3\ninactive_file 500\n",
            },
            1500,
        ),
        ({"memory.max": "9000\n", "memory.current": "9500\n"}, 0),
    ],
)
def test_free_memory_is_that_of_the_machine_or_of_the_container(
    files: dict[str, str], expected: int | None, tmp_path: Path
) -> None:
    grouped = {f"sys/fs/cgroup/{name}": text for name, text in files.items() if "/" not in name}
    assert free_of_system(write_system(tmp_path, {**(MACHINE if files else {}), **grouped})) == expected


def make(folder: Path) -> Path:
    rs.save(folder, small_classifier(RSC), data="digits")
    return folder


def rows_of(run: Path, **options: Any) -> set[int]:
    found = evaluate_run(run, [PGD(num_steps=2)], **{"num_draws": 2, "limit": 4, "batch_size": 2, **options})
    return {row.get("rows_per_pass", 0) for row in found}


def test_a_run_keeps_the_rows_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(tmp_path / "run")
    monkeypatch.setattr("rsc_snn.evaluation.run.measured_rows", lambda *_, **__: 16)
    assert rows_of(run) == {16}
    monkeypatch.setattr("rsc_snn.evaluation.run.measured_rows", lambda *_, **__: 8)
    assert rows_of(run, limit=6) == {16}
    assert rows_of(run, limit=7, rows_per_pass=16) == {16}
    with pytest.raises(RunFolderError, match="made with --rows 16, got 32; leave the option out, or take an"):
        rows_of(run, limit=8, rows_per_pass=32)
    assert rows_of(run, seed=1) == {8}
    assert rows_of(run, seed=2, rows_per_pass=3) == {3}


def test_the_process_with_the_least_memory_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes, of which another one has room for 8 rows; those of a machine share its memory."""
    sharing: list[int] = []

    class Four(Group):
        def agree(self, *numbers: int) -> list[int]:
            return [max(number, -8) for number in numbers]

    def measured(*given: Any, num_sharing: int) -> int:
        sharing.append(num_sharing)
        return room.pop(0)

    monkeypatch.setattr(run_module, "current_group", lambda: Four(0, 4, 0, 2))
    monkeypatch.setattr(run_module, "measured_rows", measured)
    room = [16, 4]
    for expected in (8, 4):
        assert run_module._measured(plan_of(BPTT()), small_classifier(RSC), IMAGES) == expected
    assert sharing == [2, 2]


@pytest.mark.parametrize(("batch_size", "expected"), [(2, 64), (70, 70)])
def test_rows_of_earlier_versions_were_made_in_passes_of_64_or_the_batch(
    batch_size: int, expected: int, tmp_path: Path
) -> None:
    run = make(tmp_path / "run")
    rows_of(run, batch_size=batch_size, rows_per_pass=expected)
    whole = rows_of(run, limit=6, batch_size=batch_size, rows_per_pass=expected)
    assert whole == {expected}
    rows = read_rows(run / "attacks.jsonl")
    (run / "attacks.jsonl").unlink()
    older = [{name: row[name] for name in row if name != "rows_per_pass"} for row in rows if row["index"] < 4]
    append_rows(run / "attacks.jsonl", older)
    with pytest.raises(RunFolderError, match=f"made with --rows {expected}, got 16"):
        rows_of(run, limit=6, batch_size=None, rows_per_pass=16)
    assert rows_of(run, limit=6, batch_size=None) == {0, expected}
    by_index = sorted(read_rows(run / "attacks.jsonl"), key=lambda row: (row["entry"], row["index"]))
    again = [{**row, "rows_per_pass": expected} for row in by_index]
    assert again == sorted(rows, key=lambda row: (row["entry"], row["index"]))


def test_a_plan_fits_draws_to_its_passes() -> None:
    plan = replace(plan_of(BPTT()), num_draws=20)
    assert [(plan.sized(rows).rows_per_pass, plan.sized(rows).draw_chunk) for rows in (64, 4, 1)] == [
        (64, 16),
        (4, 1),
        (1, 1),
    ]
    assert plan.sized(512).draw_chunk == 20, "no more than there are"
    assert plan.sized(64, draw_chunk=3).draw_chunk == 3
