"""A new component is one new file; nothing central is edited."""

import re
import subprocess
import sys
from pathlib import Path

import rsc_snn
from rsc_snn import codings
from rsc_snn.codings import AbstractCoding
from rsc_snn.registry import discover, summary_line

NEW_CODING = '''
"""A new coding."""
from dataclasses import dataclass
from rsc_snn.codings.base import AbstractCoding

@dataclass(frozen=True, kw_only=True)
class Inverted(AbstractCoding):
    """Swaps dark and bright."""
    def encode(self, image, num_steps, *, generator=None):
        return (1 - image).expand(num_steps, *image.shape)
    is_random = False
    is_static = True
'''


def test_discovery_finds_what_the_package_holds() -> None:
    found = discover(codings.__name__, codings.__path__, AbstractCoding)
    assert set(found) == {"Direct", "Poisson", "RandomizedSmoothing"}
    assert summary_line(found["Direct"]).startswith("Repeats the image")


def test_a_new_file_is_a_new_coding(tmp_path: Path) -> None:
    """In a copy of the package, so that this one stays as it is."""
    import shutil

    source = Path(rsc_snn.__file__).parent
    shutil.copytree(source, tmp_path / "rsc_snn", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "rsc_snn" / "codings" / "inverted.py").write_text(NEW_CODING)
    code = (
        "import rsc_snn as rs; from rsc_snn.cli.app import main; from rsc_snn.spec import with_setting; "
        "from rsc_snn.experiments.catalogue import by_name; print(rs.codings.Inverted()); "
        "main(['list', 'codings']);"
        "print(with_setting(by_name('digits-vgg5-rsc'), 'coding', 'Inverted').coding)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.splitlines()[0] == "Inverted()"
    listed = [re.split("  +", line.strip()) for line in done.stdout.splitlines()]
    assert ["Inverted", "Swaps dark and bright."] in listed
    assert done.stdout.splitlines()[-1] == "Inverted()"
