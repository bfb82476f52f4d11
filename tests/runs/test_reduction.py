"""Reduced runs: half precision where it is safe, float32 when loaded, and no way to train on."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import rsc_snn as rs
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs.files import read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reduction import is_reduced, reduce_run, reduced, without_places
from tests.helpers import seeded, small_classifier


def saved(path: Path) -> Path:
    rs.save(path, small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)), data="digits")
    return path


def test_matrices_are_halved_and_the_rest_keeps_its_precision() -> None:
    kernel, variance, count = torch.randn(3, 2, 3, 3, generator=seeded(0)), torch.tensor([1e6, 1e-9]), 7
    found = reduced({"kernel": kernel, "variance": variance, "count": torch.tensor(count)})
    assert found["kernel"].dtype == torch.float16
    # round to nearest: 11 significant bits, and steps of 2^-24 below 2^-14
    assert torch.all((found["kernel"].float() - kernel).abs() <= 2**-11 * kernel.abs() + 2**-25)
    assert torch.equal(found["variance"], variance), "half precision would make it inf and 0"
    assert found["count"].dtype == torch.int64
    assert reduced({"bias": torch.ones(2, dtype=torch.float64)})["bias"].dtype == torch.float32


@pytest.mark.parametrize("value", [65520.0, float("nan"), 1e-6])
def test_matrices_outside_the_range_of_half_precision_are_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"layer\.weight has a largest weight of .* range of half precision"):
        reduced({"layer.weight": torch.tensor([[value, 0.0]])})
    assert float(reduced({"x": torch.tensor([[65504.0]])})["x"]) == 65504.0
    assert torch.equal(reduced({"x": torch.zeros(1, 2)})["x"].float(), torch.zeros(1, 2))


def test_a_reduced_run_loads_in_float32_and_answers_as_rounded_weights_do(tmp_path: Path) -> None:
    run, out = saved(tmp_path / "run"), tmp_path / "out"
    reduce_run(run, out)
    stored = load_file(out / "weights.safetensors")
    assert {tensor.dtype for tensor in stored.values() if tensor.dim() > 1} == {torch.float16}
    loaded, expected = rs.load(out), rs.load(run)
    assert {tensor.dtype for tensor in loaded.state_dict().values() if tensor.is_floating_point()} == {
        torch.float32
    }
    with torch.no_grad():
        for parameter in expected.parameters():
            if parameter.dim() > 1:
                parameter.copy_(parameter.half().float())
    images = torch.rand(4, 1, 8, 8, generator=seeded(1))
    streams = [rs.Streams(0, "score", range(4)) for _ in range(2)]
    assert torch.equal(loaded.logits(images, streams[0]), expected.logits(images, streams[1]))
    assert (out / "weights.safetensors").stat().st_size < 0.6 * (run / "weights.safetensors").stat().st_size


def test_a_reduced_run_says_so_and_is_not_reduced_twice_or_over_another(tmp_path: Path) -> None:
    run, out = saved(tmp_path / "run"), tmp_path / "out"
    reduce_run(run, out)
    assert not is_reduced(RunFolder(run))
    assert is_reduced(RunFolder(out))
    (entry,) = read_environments(out / "environment.json")
    assert entry["command"] == ["python", "-m", "rsc_snn.zoo", "reduce", "run", "out"]
    with pytest.raises(RunFolderError, match="is reduced already"):
        reduce_run(out, tmp_path / "again")
    with pytest.raises(RunFolderError, match="already holds a run"):
        reduce_run(run, out)
    with pytest.raises(RunFolderError, match="is not a run folder"):
        reduce_run(tmp_path / "nothing", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_paths_of_this_machine_become_names() -> None:
    command = [
        "rsc-snn",
        "train",
        "/a/run.yaml",
        "--data-root",
        "data/here",
        "--out=/b/c",
        "--data-root=/d",
        "x/y",
    ]
    expected = ["rsc-snn", "train", "run.yaml", "--data-root", "DIR", "--out=c", "--data-root=DIR", "x/y"]
    assert without_places({"command": command, "n": 1}) == {"command": expected, "n": 1}
