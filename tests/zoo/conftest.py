"""A tiny zoo that tests may damage."""

import shutil
from pathlib import Path

import pytest

from rsc_snn.runs import zoo
from rsc_snn.zoo.add import add
from tests.zoo.builder import NAME, ROWS, measured_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reduced run with rows; tests copy it before they change it."""
    return measured_run(tmp_path_factory.mktemp("measured"))


@pytest.fixture(scope="session")
def one_entry(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose zoo holds one network."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "zoo").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "ZOO", root / "zoo")
        patch.chdir(root)
        add(run, NAME, ROWS)
    return root


@pytest.fixture
def checkout(one_entry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that checkout, which is the current folder; its zoo takes the place of the package's."""
    shutil.copytree(one_entry, tmp_path / "checkout")
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "checkout" / "zoo")
    monkeypatch.chdir(tmp_path / "checkout")
    return tmp_path / "checkout"
