"""A network of the zoo is found by its name, whole or not at all; commands work on a copy."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.errors import RunFolderError
from rsc_snn.runs import zoo
from rsc_snn.runs.files import read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.zoo_copies import opened
from tests.helpers import small_classifier
from tests.zoo.builder import NAME, ROWS

COPY = Path("runs") / f"zoo-{NAME}"
DEVICE = ["--device", "cpu"]


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that bad input gets."""
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_a_name_loads_and_an_existing_folder_or_a_separator_is_a_path(checkout: Path) -> None:
    expected = rs.load(checkout / "zoo" / NAME).state_dict()
    found = rs.load(NAME).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    with pytest.raises(RunFolderError, match=f"'{NAME}' is not a run folder: it has no run.yaml"):
        rs.load(f"./{NAME}")
    Path(NAME).mkdir()
    with pytest.raises(RunFolderError, match="it has no run.yaml"):
        rs.load(NAME)


@pytest.mark.parametrize(
    ("name", "hint"), [("tiny-rcs", f"did you mean '{NAME}'\\?"), ("elephant", f"it has {NAME}")]
)
def test_an_unknown_name_gets_the_nearest(checkout: Path, name: str, hint: str) -> None:
    with pytest.raises(
        RunFolderError, match=f"'{name}' is not a run folder, and not a name of the zoo; {hint}"
    ):
        rs.load(name)


@pytest.mark.parametrize("file", ["weights.safetensors", "run.yaml", "environment.json", zoo.CARD])
def test_a_changed_or_missing_file_is_named(checkout: Path, file: str) -> None:
    path = checkout / "zoo" / NAME / file
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RunFolderError, match=f"{file}' has another checksum than SHA256SUMS"):
        rs.load(NAME)
    path.rename(path.with_suffix(".gone"))
    if file != "run.yaml":  # without which it is no entry
        with pytest.raises(RunFolderError, match=f"{file}' is missing"):
            rs.load(NAME)


@pytest.mark.parametrize("file", ["weights.safetensors", "run.yaml", "environment.json"])
def test_a_file_without_a_checksum_is_not_trusted(checkout: Path, file: str) -> None:
    sums = checkout / "zoo" / zoo.SUMS
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if file not in line))
    with pytest.raises(RunFolderError, match=f"lacks '{NAME}/{file}'"):
        rs.load(NAME)


@pytest.mark.parametrize("text", ["nonsense\n", None])
def test_checksums_that_cannot_be_read_are_named(checkout: Path, text: str | None) -> None:
    sums = checkout / "zoo" / zoo.SUMS
    sums.unlink()
    if text is not None:
        sums.write_text(text)
    with pytest.raises(RunFolderError, match="is not a list of checksums"):
        rs.load(NAME)


def test_a_path_into_the_zoo_is_checked_and_copied_too(checkout: Path) -> None:
    with opened(Path("zoo") / NAME) as (place,):
        assert place == COPY
    (checkout / "zoo" / NAME / "run.yaml").write_text("schema: 1")
    with pytest.raises(RunFolderError, match="run.yaml' has another checksum"):
        rs.load(checkout / "zoo" / NAME)


def test_attack_works_on_a_copy_and_goes_on_with_it(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in (checkout / "zoo").rglob("*") if path.is_file()}
    attack = ["attack", NAME, "--limit", "4", "--draws", "2", *DEVICE]
    assert main(attack) == 0
    rows = read_rows(COPY / "attacks.jsonl")
    kept = read_rows(ROWS / NAME / "attacks.jsonl")
    assert len(rows) == 3 * 4
    assert {row["subject"] for row in rows} == {row["subject"] for row in kept}
    assert main(attack) == 0
    assert read_rows(COPY / "attacks.jsonl") == rows, "a second call computes nothing"
    assert main(["report", NAME]) == 0
    assert (COPY / "report.html").is_file()
    after = {path: path.read_bytes() for path in (checkout / "zoo").rglob("*") if path.is_file()}
    assert after == before, "the package stays as it is"
    capsys.readouterr()
    assert "are the same run" in complaint(["compare", NAME, str(COPY)], capsys)


def test_transfer_from_the_zoo_keeps_its_images_in_the_copy(checkout: Path) -> None:
    rs.save("own", small_classifier(seed=1), data="digits")
    attack = ["attack", "own", "--attack", "transfer", "--source", NAME, "--limit", "2", "--draws", "2"]
    assert main([*attack, *DEVICE]) == 0
    assert (COPY / "transfer").is_dir()
    assert not (checkout / "zoo" / NAME / "transfer").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["attack", NAME, "--draws", "0"], "draws must be at least 1"),
        (["attack", NAME, "--device", "gpu"], "cannot be used"),
        (["attack", NAME, "--attack", "transfer", "--source", "nowhere"], "'nowhere' is not a run folder"),
        (["attack", "nowhere", "--attack", "transfer", "--source", NAME], "'nowhere' is not a run folder"),
        (["attack", "/nowhere", "--attack", "transfer", "--source", NAME], "'/nowhere' is not a run folder"),
        (["attack", NAME, "--data-root", "/nowhere"], "'/nowhere' (--data-root) is not a folder"),
        (["audit", NAME, "--budget", "huge"], "budget"),
        (["certify", NAME, "--limit", "0"], "limit must be at least 1"),
        (["report", NAME, "--format", "pdf"], "pdf"),
        (["compare", NAME, "other"], "'other' is not a run folder"),
    ],
)
def test_mistakes_leave_no_copy(
    checkout: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(checkout.rglob("*"))
    assert message in complaint(arguments, capsys)
    assert sorted(checkout.rglob("*")) == before


def test_a_run_of_that_name_that_is_another_is_neither_used_nor_overwritten(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rs.save(COPY, small_classifier(seed=1), data="digits")
    before = {path: path.read_bytes() for path in COPY.iterdir()}
    for verb in (["attack", NAME], ["report", NAME], ["compare", NAME, "runs"]):
        assert f"'{COPY}' is there and is not the network of the zoo" in complaint(verb, capsys)
    assert {path: path.read_bytes() for path in COPY.iterdir()} == before


def test_what_was_written_before_a_failure_stays(checkout: Path) -> None:
    def work(*, writes: bool) -> None:
        with opened(Path(NAME)) as (place,):
            if writes:
                (place / "attacks.jsonl").write_text("")
            raise RuntimeError("stopped")

    for writes in (True, False):
        with pytest.raises(RuntimeError, match="stopped"):
            work(writes=writes)
        assert Path("runs").exists() == COPY.exists() == writes
        shutil.rmtree("runs", ignore_errors=True)


def test_a_copy_that_another_process_works_in_stays(checkout: Path) -> None:
    """The first of two calls makes the copy, the second is faster to hold it, and the first is refused."""

    def refused(second: ExitStack) -> None:
        with opened(Path(NAME)) as (place,):
            second.enter_context(RunFolder(place).locked())
            with RunFolder(place).locked():
                raise AssertionError("it was not held")

    with ExitStack() as second:
        with pytest.raises(RunFolderError, match="is in use by another process"):
            refused(second)
        assert all((COPY / path.name).is_file() for path in (checkout / "zoo" / NAME).iterdir())


def test_a_run_that_was_trained_from_the_recipe_of_that_name_is_not_in_the_way(checkout: Path) -> None:
    rs.save(Path("runs") / NAME, small_classifier(seed=1), data="digits")
    with opened(Path(NAME)) as (place,):
        assert place == COPY
    assert not torch.equal(
        *(next(iter(rs.load(path).state_dict().values())) for path in (place, f"runs/{NAME}"))
    )


@pytest.mark.parametrize("options", [["--resume"], []])
def test_training_on_is_refused_in_one_clear_line(
    checkout: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(Path(NAME)):
        pass
    train = ["train", "digits-vgg5-rsc0.1", "--out", str(COPY), *options, *DEVICE]
    line = complaint(train, capsys)
    assert f"'{COPY}' holds a network of the zoo or another reduced one" in line
    assert "choose another --out" in line


def test_list_shows_data_set_size_and_clean_accuracy(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "zoo"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    name, data, _, unit, _, value, low, _, _, of, number, images = line.split()
    size = (checkout / "zoo" / NAME / "weights.safetensors").stat().st_size
    assert (name, data, of, number, images) == (NAME, "digits,", "of", "6", "images")
    assert f"{size / 1e6:.2f} {unit}" in line
    rows = [row for row in read_rows(ROWS / NAME / "attacks.jsonl") if row["entry"] == "FGSM"]
    right = sum(row["clean_counts"][row["label"]] for row in rows) / (2 * len(rows))
    assert value == f"{100 * right:.1f}"
    assert float(low.strip("[,")) < 100 * right
