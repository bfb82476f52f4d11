"""Adding an entry: nothing unmeasured, unreduced, foreign or too large comes in, nothing is left behind."""

import json
import shutil
from pathlib import Path

import pytest

import rsc_snn as rs
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs import zoo
from rsc_snn.runs.files import read_environments, read_rows, replace_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reduction import reduce_run
from rsc_snn.zoo import add as adding
from rsc_snn.zoo.__main__ import main
from rsc_snn.zoo.add import add, refresh
from tests.helpers import small_classifier
from tests.zoo.builder import NAME, ROWS


@pytest.fixture
def own(run: Path, tmp_path: Path) -> Path:
    """The measured run, to be changed."""
    return Path(shutil.copytree(run, tmp_path / "own"))


def test_an_entry_holds_what_loads_it_and_the_rows_stand_beside(checkout: Path, run: Path) -> None:
    entry, rows = checkout / "zoo" / NAME, checkout / ROWS / NAME
    assert {path.name for path in entry.iterdir()} == {
        "run.yaml", "environment.json", "weights.safetensors", zoo.CARD
    }  # fmt: skip
    assert (entry / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
    for name in ("attacks.jsonl", "certificates.jsonl"):
        assert (rows / name).read_bytes() == (run / name).read_bytes()
    assert not (rows / "weights.safetensors").exists()
    assert len(read_environments(entry / "environment.json")) == 1, "how it was made, not how it was measured"
    assert len(read_environments(rows / "environment.json")) == 3


def test_paths_of_this_machine_stay_out(checkout: Path, own: Path) -> None:
    file = own / "environment.json"
    first, *others = read_environments(file)
    command = ["rsc-snn", "train", "/secret/run.yaml", "--data-root", "/secret/data"]
    file.write_text(json.dumps([{**first, "command": command}, *others]))
    add(own, "other", ROWS)
    for path in (checkout / "zoo" / "other", checkout / ROWS / "other"):
        first = read_environments(path / "environment.json")[0]
        assert first["command"] == ["rsc-snn", "train", "run.yaml", "--data-root", "DIR"]


def test_what_is_unfit_is_refused_and_leaves_nothing(
    checkout: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rs.save(tmp_path / "whole", small_classifier(), data="digits")
    reduce_run(tmp_path / "whole", tmp_path / "silent")
    before = sorted(checkout.rglob("*"))
    with pytest.raises(RunFolderError, match="is not reduced; start with"):
        add(tmp_path / "whole", "other", ROWS)
    with pytest.raises(RunFolderError, match="has no rows of suite paper"):
        add(tmp_path / "silent", "other", ROWS)
    with pytest.raises(RunFolderError, match="is there already"):
        add(own, NAME, ROWS)
    with pytest.raises(InputError, match="NAME takes letters"):
        add(own, "../evil", ROWS)
    with pytest.raises(InputError, match="--rows expects a folder in results"):
        add(own, "other", Path("elsewhere"))
    with monkeypatch.context() as patch:
        patch.setattr(adding, "LARGEST", 1000)
        with pytest.raises(InputError, match="would have .* MB, expected at most"):
            add(own, "other", ROWS)
    assert sorted(checkout.rglob("*")) == before


@pytest.mark.parametrize("file", ["attacks.jsonl", "certificates.jsonl"])
def test_rows_of_other_weights_are_refused(checkout: Path, own: Path, file: str) -> None:
    """As those are that were measured before the reduction."""
    rows = read_rows(own / file)
    replace_rows(own / file, [*rows[:-1], {**rows[-1], "subject": "0" * 16}])
    with pytest.raises(RunFolderError, match="rows of other weights"):
        add(own, "other", ROWS)
    assert not (checkout / "zoo" / "other").exists()


def test_another_entry_keeps_the_checksums_of_the_first(
    checkout: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = checkout / "zoo" / NAME / zoo.CARD
    whole = card.read_text()
    card.write_text("changed")
    assert main(["add", str(own), "other", "--rows", str(ROWS)]) == 0
    rs.load("other")
    with pytest.raises(RunFolderError, match="has another checksum"):
        rs.load(NAME)
    refresh(NAME, ROWS)
    assert card.read_text() == whole
    rs.load(NAME)
    assert main(["cards", "--rows", str(ROWS)]) == 0
    assert capsys.readouterr().out.count("wrote the card of") == 2
    assert RunFolder(checkout / "zoo" / "other").exists()


def test_mistakes_get_one_clear_line(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reduce", "/nowhere", "out"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("rsc_snn.zoo: '/nowhere' is not a run folder")
    assert err.count("\n") == 1
    assert not Path("out").exists()
