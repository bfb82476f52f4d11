"""How passes are made: settled once per run, kept by the rows."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import rsc_snn as rs
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.passes import Passes, asked_passes
from rsc_snn.errors import InputError, NotCompiled, RunFolderError
from rsc_snn.networks import backend_of, compiling, set_backend
from rsc_snn.networks.compiling import can_compile, compile_kernels
from rsc_snn.runs.folder import RunFolder
from tests.helpers import small_classifier
from tests.training.launch import ALONE, run

NOISY = rs.codings.RandomizedSmoothing(variance=0.1)


def test_long_work_is_compiled_where_a_compiler_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, is_open = torch.device("cpu"), Passes(rows=256, is_compiled=None)
    monkeypatch.setattr(compiling, "can_compile", lambda device: True)
    assert is_open.settled(1000.0, cpu)
    assert not is_open.settled(100.0, cpu)
    assert not replace(is_open, is_compiled=False).settled(1000.0, cpu)
    monkeypatch.setattr(compiling, "can_compile", lambda device: False)
    assert not is_open.settled(1000.0, cpu)
    assert replace(is_open, is_compiled=True).settled(1.0, cpu), "who asks gets it, or an error"


def test_earlier_rows_of_the_same_demand_settle_them() -> None:
    demand = Demand(num_estimate=50)
    row = {**vars(demand), "index": 0, "rows_per_pass": 64, "compiled": True}
    kept = Passes(rows=64, is_compiled=True)
    assert asked_passes([row], demand, None, "auto") == kept
    assert asked_passes([row], demand, 64, "on") == kept
    with pytest.raises(RunFolderError, match="made with --compile on, got off"):
        asked_passes([row], demand, None, "off")
    with pytest.raises(RunFolderError, match="made with --rows 64, got 65"):
        asked_passes([row], demand, 65, "auto")
    assert asked_passes([row], Demand(num_estimate=51), None, "off") == Passes(rows=256, is_compiled=False)
    with pytest.raises(InputError, match="--compile takes auto, on, off, got 'yes'"):
        asked_passes([], demand, None, "yes")


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(torch.device("cpu")), reason="no C++ compiler")
def test_compiled_neurons_vote_alike(tmp_path: Path) -> None:
    """In a process of its own: the checks of annotations that tests turn on cannot be compiled."""
    counts = {}
    for compiled in ("on", "off"):
        rs.save(tmp_path / compiled, small_classifier(NOISY), data="digits")
        options = ["--limit", "9", "--samples", "30", "--select", "5", "--rows", "64", "--no-attack"]
        run([*ALONE, "certify", str(tmp_path / compiled), "--device", "cpu", "--compile", compiled, *options])
        rows = RunFolder(tmp_path / compiled).certificate_rows()
        assert [row["compiled"] for row in rows] == [compiled == "on"] * 9
        counts[compiled] = torch.tensor([row["counts"] for row in rows])
    different = (counts["on"] - counts["off"]).abs().sum()
    assert different <= 4, "rounding may flip a spike"
    assert (counts["off"] > 0).any(0).sum() > 1


def test_what_cannot_be_compiled_is_told_in_one_line() -> None:
    network = small_classifier(NOISY).network

    def fails() -> None:
        raise RuntimeError("no compiler\nand a long trace")

    with pytest.raises(InputError, match=r"cannot be compiled here \(no compiler\); mend the compiler"):
        compile_kernels(network, fails, is_asked=True)
    assert backend_of(network) == "eager"
    set_backend(network, "plain")
    with pytest.warns(NotCompiled, match=r"\(no compiler\); they are computed without"):
        assert not compile_kernels(network, fails, is_asked=False)
    assert backend_of(network) == "plain", "as it was"
