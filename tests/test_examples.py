"""The examples run, and print what they promise."""

import runpy
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "peer", "expected"),
    [
        ("attack_your_own_network", None, "robust "),
        ("make_your_own_coding", None, "attacked "),
        ("attack_a_spikingjelly_network", "spikingjelly", "differentiated otherwise: 2\n"),
        ("attack_a_snntorch_network", "snntorch", "had a zero gradient at every step"),
        ("torchattacks_on_our_network", "torchattacks", "% under EOTPGD"),
        ("foolbox_on_our_network", "foolbox", "robust "),
        ("art_on_our_network", "art", "robust "),
        ("pyautoattack_on_our_network", "pyautoattack", "robust "),
    ],
)
def test_examples_run(
    name: str,
    peer: str | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As scripts, but in this process, which has imported torch already."""
    if peer is not None and find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    monkeypatch.syspath_prepend(EXAMPLES)  # as for a script; they share a module
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("default")  # as for a user; pytest makes them errors
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert expected in printed
    assert "clean" in printed
