"""Shapes and types of every annotated function are checked while tests run."""

import os
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest

import tests.typechecker  # noqa: F401 - the hook looks it up by name

_ROOMS = """
    attacks auditing benchmarks certification checks classifier codings data errors evaluation experiments
    gradients interop networks neurons objectives observing paper processes registry report rng runs spec
    theory training zoo
"""  # all but the command line, whose functions carry typer's annotations
jaxtyping.install_import_hook([f"rsc_snn.{room}" for room in _ROOMS.split()], "tests.typechecker.check")

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the commands that tests start, beside each other

import torch  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _own_allocator() -> Iterator[None]:
    """Commands called in this process leave its allocator alone, by which later tests measure memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rsc_snn.memory._mallopt", lambda: None)
        yield


@pytest.fixture(autouse=True)
def _no_ambient_data(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "real_data" not in request.fixturenames:
        monkeypatch.delenv("RSC_SNN_DATA", raising=False)


@pytest.fixture
def real_data() -> Path:
    """Folder with the real data sets; the test is skipped where there is none."""
    root = os.environ.get("RSC_SNN_DATA")
    if not root or not (Path(root) / "cifar10").is_dir():
        pytest.skip("no real images: set RSC_SNN_DATA")
    return Path(root)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Turn the checks of annotations off, to see the errors that a user sees."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
