"""How passes are made: settled once per run, padded to one size where the network is compiled."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import rsc_snn as rs
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.passes import Passes, asked_passes
from rsc_snn.certification.votes import Voter
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.networks import BuiltNetwork
from rsc_snn.networks.compiling import can_compile, compile_network
from rsc_snn.runs.folder import RunFolder
from tests.helpers import seeded, small_classifier
from tests.training.launch import ALONE, run

NOISY = rs.codings.RandomizedSmoothing(variance=0.1)


def test_long_work_is_compiled_where_a_compiler_is_there() -> None:
    is_open = Passes(rows=256, is_compiled=None)
    assert is_open.settled(1000.0, can_compile=True)
    assert not is_open.settled(1000.0, can_compile=False)
    assert not is_open.settled(100.0, can_compile=True)
    assert replace(is_open, is_compiled=True).settled(1.0, can_compile=False), "who asks gets it, or an error"
    assert not replace(is_open, is_compiled=False).settled(1000.0, can_compile=True)


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


def test_padding_counts_nothing() -> None:
    classifier = small_classifier(NOISY).double()
    images = torch.rand(3, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    sizes = []
    classifier.network.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[1]))
    votes = [
        Voter(classifier, 10, 0, 16, is_padded=is_padded).count(
            images, torch.arange(3), "estimate", first=0, num_draws=7
        )
        for is_padded in (False, True)
    ]
    assert torch.equal(*votes)
    assert votes[0].sum(1).tolist() == [7, 7, 7]
    assert sizes == [16, 5, 16, 16]


@pytest.mark.slow
@pytest.mark.skipif(not can_compile(torch.device("cpu")), reason="no C++ compiler")
def test_a_compiled_network_votes_alike(tmp_path: Path) -> None:
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


def test_what_cannot_be_compiled_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_classifier(NOISY).network
    assert isinstance(network, BuiltNetwork)
    monkeypatch.setattr(network, "compile", lambda **_: None)

    def fails() -> None:
        raise RuntimeError("no compiler\nand a long trace")

    with pytest.raises(
        InputError, match=r"cannot be compiled here \(no compiler\); use --compile off, and another"
    ):
        compile_network(network, fails)
