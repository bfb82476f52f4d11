"""Images that won: written batch by batch, joined at the end, the same whenever they are read."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from rsc_snn.runs.candidates import Candidates, join_candidates, keep_candidates, read_candidates


def images(*values: float) -> Tensor:
    return torch.tensor(values).reshape(-1, 1, 1, 1).repeat(1, 1, 2, 2)


def batch(name: str, indices: list[int], values: list[float]) -> Candidates:
    return {name: (torch.tensor(indices, dtype=torch.int64), images(*values))}


def found(path: Path) -> dict[str, dict[int, float]]:
    return {
        name: dict(zip(indices.tolist(), pixels[:, 0, 0, 0].tolist(), strict=True))
        for name, (indices, pixels) in read_candidates(path).items()
    }


def test_parts_are_read_at_once_and_joined_later(tmp_path: Path) -> None:
    path = tmp_path / "candidates.safetensors"
    keep_candidates(path, batch("a", [3, 1], [0.5, 0.25]) | batch("b", [3], [0.125]))
    keep_candidates(path, batch("a", [2, 3], [0.75, 1.0]))
    expected = {"a": {1: 0.25, 2: 0.75, 3: 1.0}, "b": {3: 0.125}}
    assert found(path) == expected
    assert not path.exists()
    join_candidates(path)
    assert found(path) == expected
    assert list(found(path)["a"]) == [1, 2, 3], "in the order of their indices"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    join_candidates(path)
    keep_candidates(path, batch("a", [1, 9], [0.0, 0.5]))
    join_candidates(path)
    assert found(path) == {"a": {1: 0.0, 2: 0.75, 3: 1.0, 9: 0.5}, "b": {3: 0.125}}


def test_joining_that_was_cut_short_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the file was replaced, before the parts were removed."""
    path = tmp_path / "candidates.safetensors"
    keep_candidates(path, batch("a", [0], [0.5]))
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda folder: None)
        join_candidates(path)
    keep_candidates(path, batch("a", [1], [0.25]))
    assert found(path) == {"a": {0: 0.5, 1: 0.25}}
    join_candidates(path)
    assert found(path) == {"a": {0: 0.5, 1: 0.25}}


def test_a_batch_costs_the_same_however_many_there_are(tmp_path: Path) -> None:
    path, sizes = tmp_path / "candidates.safetensors", list[int]()
    for number in range(20):
        keep_candidates(path, batch("a", [number], [0.5]))
        written = max(path.with_suffix(".parts").iterdir())
        sizes.append(written.stat().st_size)
    assert len(set(sizes)) == 1
    assert not path.exists()


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_candidates(tmp_path / "candidates.safetensors")
