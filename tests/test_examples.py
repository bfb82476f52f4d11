"""The examples run, and print what they promise."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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
def test_examples_run(name: str, peer: str | None, expected: str) -> None:
    if peer is not None and find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    done = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
    assert "clean" in done.stdout
