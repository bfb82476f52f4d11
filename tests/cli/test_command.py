"""The command: exit statuses, one line for every mistake, and nothing imported before it is needed."""

import io
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from rich.console import Console

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.cli.printing import print_table
from rsc_snn.report.tables import Table
from rsc_snn.runs.files import append_rows, read_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import save_weights
from tests.helpers import small_classifier
from tests.training.launch import ALONE
from tests.training.launch import run as run_command

SMALL = [
    "--set",
    "training.epochs=1",
    "--set",
    "training.num_images=200",
    "--set",
    "training.num_validation=0",
]
SMALL += ["--set", "network.hidden_width=16", "--set", "num_steps=2", "--device", "cpu"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rs.save(tmp_path / "run", small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)), data="digits")
    return tmp_path / "run"


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail with status 2, and return its one line."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("rsc-snn: ")
    assert captured.err.count("\n") == 1
    return captured.err


def run_without_torch(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own that fails if torch was imported."""
    code = (
        f"import sys; from rsc_snn.cli.app import main; status = main({arguments!r}); "
        "assert 'torch' not in sys.modules; sys.exit(status)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_train_attack_and_report_work_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["train", "digits-vgg5-rsc0.1", "--out", str(folder), *SMALL, "--seed", "3"]) == 0
    assert "epoch 1/1" in capsys.readouterr().out
    attack = ["attack", str(folder), "--limit", "8", "--draws", "3", "--eps", "8/255,0.1", "--device", "cpu"]
    assert main(attack) == 0
    captured = capsys.readouterr()
    out = captured.out
    assert captured.err.startswith("rsc-snn: warning: PGD cannot reach the edge of its ball")
    assert captured.err.count("\n") == 1
    assert "worst case" in out
    assert "8/255" in out
    assert "25.5/255" in out
    rows = read_rows(folder / "attacks.jsonl")
    assert len(rows) == 2 * 3 * 8
    assert main(attack) == 0
    assert read_rows(folder / "attacks.jsonl") == rows, "a second call computes nothing"
    capsys.readouterr()
    assert main(["attack", str(folder), "--limit", "12", *attack[4:], "--json"]) == 0
    summaries = json.loads(capsys.readouterr().out)
    assert [summary["num_images"] for summary in summaries] == [12] * 6
    assert summaries[0]["entry"] == "FGSM"
    assert 0 <= summaries[0]["robust"][1] <= summaries[0]["robust"][0] <= summaries[0]["robust"][2] <= 1
    assert read_rows(folder / "attacks.jsonl")[: len(rows)] == rows
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").is_file()


def test_a_run_is_repeated_from_its_own_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["train", "digits-vgg5-poisson", "--out", str(first), *SMALL, "--seed", "5"]) == 0
    assert main(["train", str(first / "run.yaml"), "--out", str(second), "--device", "cpu"]) == 0
    assert (first / "weights.safetensors").read_bytes() == (second / "weights.safetensors").read_bytes()
    assert (first / "run.yaml").read_text() == (second / "run.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["train", "cifar10-vgg5-rsc.1"],
            "unknown recipe 'cifar10-vgg5-rsc.1'; did you mean 'cifar10-vgg5-rsc",
        ),
        (["train", "digits-vgg5-direct", "--set", "training.epoch=3"], "did you mean 'epochs'?"),
        (["train", "digits-vgg5-direct", "--set", "training.epochs"], "--set expects FIELD=VALUE"),
        (["train", "digits-vgg5-direct", "--set", "num_steps=0"], "num_steps must be >= 1, got 0"),
        (
            ["train", "cifar10-vgg5-direct", "--data-root", "/nowhere"],
            "'/nowhere' (--data-root) is not a folder",
        ),
        (["train", "digits-vgg5-direct", "--device", "gpu"], "device 'gpu' cannot be used"),
        (["train", "digits-vgg5-direct", "--device", "meta"], "device 'meta' cannot be used"),
        (["train", "digits-vgg5-direct", "--out", ""], "--out expects a folder for the run"),
        (["train", "digits-vgg5-direct", "--set", "name=../evil"], "name must be letters, digits"),
        (["train", "digits-vgg5-direct", "--set", "data.padding=100"], "padding must lie in [0, 8), got 100"),
        (
            ["train", "digits-vgg5-direct", "--set", "network.hidden_width=1.5"],
            "network.hidden_width expects int",
        ),
        (["train", "digits-vgg5-direct", "--set", "network.hidden_width=100000000000"], "make it smaller"),
        (
            ["train", "digits-vgg5-direct", "--set", "training.batch_size=5000"],
            "exceeds the 1301 training images",
        ),
        (["train", "digits-vgg5-direct", "--set", "data=AbstractHubDataset"], "unknown kind in data"),
        (["train", "nowhere:f"], "cannot import 'nowhere:f'"),
        (["train", "json:loads"], "'json:loads' failed: TypeError"),
        (["train", "digits-vgg5-direct", "--out", "/dev/null/x"], "check the path and its permissions"),
        (["train", "digits-vgg5-direct", "--compile", "yes"], "--compile takes auto, on, off"),
        (["train"], "Missing argument"),
        (["trian", "x"], "No such command 'trian'. Did you mean 'train'?"),
        (["train", "digits-vgg5-direct", "--epochs", "3"], "No such option: --epochs"),
        (["train", "digits-vgg5-direct", "--seed", "x"], "Invalid value for '--seed'"),
        (["attack", "/nowhere"], "'/nowhere' is not a run folder"),
        (["attack", "/nowhere", "--eps", "8"], "did you mean 8/255?"),
        (["attack", "/nowhere", "--eps", "-1"], "eps must be >= 0 in pixel units"),
        (["attack", "/nowhere", "--eps", "eight"], "--eps expects a number such as 0.03 or 8/255"),
        (["attack", "/nowhere", "--eps", "8/255,8/255"], "different numbers"),
        (["attack", "/nowhere", "--attack", "pdg"], "unknown attack 'pdg'; did you mean 'pgd'?"),
        (["attack", "/nowhere", "--attack", "pgd", "--gradient", "bttp"], "did you mean 'bptt'?"),
        (
            ["attack", "/nowhere", "--attack", "pgd", "--gradient", "surrogate"],
            "gradient path Surrogate needs surrogate",
        ),
        (["attack", "/nowhere", "--norm", "l3"], "unknown norm 'l3'; did you mean 'l2'?"),
        (["attack", "/nowhere", "--suite", "papr"], "unknown suite 'papr'; did you mean 'paper'?"),
        (
            ["attack", "/nowhere", "--suite", "paper", "--attack", "pgd"],
            "--attack excludes --suite",
        ),
        (["attack", "/nowhere", "--steps", "20"], "do not apply to a suite"),
        (["attack", "/nowhere", "--norm", "l2"], "do not apply to suite paper"),
        (["attack", "/nowhere", "--draws", "0"], "draws must be at least 1, got 0"),
        (["attack", "/nowhere", "--limit", "0"], "limit must be at least 1, got 0"),
        (["attack", "/nowhere", "--rows", "0"], "rows must be at least 1, got 0"),
        (["attack", "/nowhere", "--attack", "fgsm", "--steps", "20"], "--steps does not apply to FGSM"),
        (["attack", "/nowhere", "--attack", "pgd", "--steps", "0"], "num_steps must be at least 1, got 0"),
        (["report", "/nowhere"], "no folder '/nowhere'"),
        (["list", "recipe"], "unknown list 'recipe'; did you mean 'recipes'?"),
    ],
)
def test_mistakes_get_one_clear_line(
    arguments: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in complaint(arguments, capsys)
    assert list(tmp_path.iterdir()) == [], "a mistake leaves nothing behind"


def test_damaged_and_mixed_runs_get_one_clear_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attack = ["attack", str(run), "--limit", "2", "--draws", "2", "--device", "cpu"]
    assert main(attack) == 0
    capsys.readouterr()
    assert "num_draws 2, not 3; use the same value or another --seed" in complaint(
        [*attack[:4], "--draws", "3"], capsys
    )
    assert "limit must be at least 1" in complaint(["attack", str(run), "--limit", "0"], capsys)
    assert "draws must be at least 1" in complaint(["attack", str(run), "--draws", "0"], capsys)
    assert "batch_size 64, not 32" in complaint([*attack, "--batch-size", "32"], capsys)
    refused = complaint([*attack, "--rows", "3"], capsys)
    assert refused.startswith("rsc-snn: earlier rows were made with --rows ")
    assert refused.rstrip().endswith("got 3; leave the option out, or take another --seed")
    far = ["attack", str(run), "--attack", "pgd", "--norm", "l2", "--eps", "0.05,100", "--draws", "2"]
    assert "eps is in pixel units and at most 8 in l2, got 100" in complaint(far, capsys)
    changed = rs.load(run)
    with torch.no_grad():
        changed.network.layers.readout.bias.add_(1.0)  # type: ignore[union-attr, operator]
    save_weights(RunFolder(run), changed)
    assert "holds rows of other weights or other images" in complaint(attack, capsys)
    (run / "attacks.jsonl").unlink()
    weights = run / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut short" in complaint(attack, capsys)
    weights.write_bytes(whole)
    rs.save(tmp_path / "other", small_classifier())
    other = yaml.safe_load((tmp_path / "other" / "run.yaml").read_text())
    other["classifier"]["blueprint"]["network"]["hidden_width"] = 8
    other["data"] = "digits"
    (run / "run.yaml").write_text(yaml.safe_dump(other))
    assert "is of another architecture than its run.yaml" in complaint(attack, capsys)
    other["classifier"]["colour"] = 3
    (run / "run.yaml").write_text(yaml.safe_dump(other))
    assert "unknown key in run.yaml: classifier (ClassifierSpec) 'colour'" in complaint(attack, capsys)
    shutil.rmtree(run)
    assert "is not a run folder" in complaint(attack, capsys)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"suite": None}, "has suite None"),
        ({"clean_counts": [0] * 10}, "has clean_counts"),
        ({"label": 99}, "votes by class"),
        ({"flags": None}, "has flags None"),
        ({"eps": "x"}, "has eps 'x'"),
        ({"batch_size": 0}, "has an empty batch"),
        ({"rows_per_pass": 0}, "has rows_per_pass 0"),
        ({"rows_per_pass": "64"}, "has rows_per_pass '64'"),
        ({}, "repeats an earlier row"),
    ],
)
def test_rows_that_were_edited_are_refused_by_attack_and_report(
    run: Path, change: dict[str, object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attack = ["attack", str(run), "--limit", "2", "--draws", "2", "--device", "cpu"]
    assert main(attack) == 0
    capsys.readouterr()
    rows = read_rows(run / "attacks.jsonl")
    append_rows(run / "attacks.jsonl", [{**rows[0], **change}])
    for command in (attack, ["report", str(run)]):
        line = complaint(command, capsys)
        assert f"line {len(rows) + 1} of" in line
        assert message in line


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("environment.json", "[{", "is not a JSON list of entries"),
        ("environment.json", '{"a": 1}', "is not a JSON list of entries"),
        ("training.jsonl", '{"epoch": "x"}\n', "has epoch 'x'"),
        ("training.jsonl", "[1]\n", "is not a JSON object"),
        ("run.yaml", "schema: 1\nclasifier: {}\n", "did you mean 'classifier'?"),
    ],
)
def test_other_damaged_files_are_named(
    run: Path, name: str, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attack = ["attack", str(run), "--limit", "2", "--draws", "2", "--device", "cpu"]
    (run / name).write_text(text)
    command = attack if name == "run.yaml" else ["report", str(run)]
    assert message in complaint(command, capsys)


def test_odd_names_are_printed_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "\u00fc {0} [b]x[/red]"
    assert main(["train", "digits-vgg5-direct", "--out", str(folder), *SMALL]) == 0
    assert main(["attack", str(folder), "--limit", "2", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert f"next: rsc-snn report '{folder}'" in out


def test_numbers_are_not_cut_in_a_narrow_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=40, force_terminal=True, color_system=None)
    columns = ("attack", "clean %", "robust %")
    print_table(
        console, Table("a title", columns, [["PGD(step_size=0.02)", "83.4 [74.8, 89.4]", "1.0 [0.0, 9.9]"]])
    )
    for text in ("PGD(step_size=0.02)", "83.4 [74.8, 89.4]", "1.0 [0.0, 9.9]"):
        assert text in stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupted_attack_keeps_its_rows_and_says_so(
    run: Path, number: signal.Signals, status: int
) -> None:
    command = [sys.executable, "-m", "rsc_snn", "attack", str(run), "--batch-size", "4", "--draws", "50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (run / "attacks.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert err == f"rsc-snn: stopped by {number.name}\n"
    assert "the same command goes on from there" in out
    assert len(read_rows(run / "attacks.jsonl")) % 12 == 0


def test_a_second_process_is_refused_in_one_line(run: Path) -> None:
    with RunFolder(run).locked():
        done = run_command([*ALONE, "attack", str(run), "--limit", "2"], status=2)
    assert "is in use by another process" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["attack", "--help"], ["report", "--help"], ["--version"]]
)
def test_help_is_given_without_torch(arguments: list[str]) -> None:
    done = run_without_torch(arguments)
    assert done.returncode == 0, done.stderr
    assert "rsc-snn" in done.stdout


def test_reports_are_written_without_torch(run: Path) -> None:
    assert main(["attack", str(run), "--limit", "2", "--draws", "2", "--device", "cpu"]) == 0
    done = run_without_torch(["report", str(run)])
    assert done.returncode == 0, done.stderr


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    assert "Usage" in capsys.readouterr().out


def test_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for name in ("RandomizedSmoothing", "LIF", "VGG5", "PGD", "BPTT", "cifar100", "digits-vgg5-rsc0.1"):
        assert name in out


def test_doctor_shows_versions_devices_and_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data-root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert torch.__version__ in out
    assert "cpu" in out
    assert "cifar10       missing: no folder 'cifar10'" in out
    assert "digits        embedded" in out
    assert "imagenet      missing: no folder 'imagenet'" in out
    assert "tiny-imagenet missing: no folder 'tiny-imagenet'" in out
    assert "fashion-mnist missing" in out
    assert "image-folder" not in out, "it has no place until somebody gives one"


def test_data_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "datasets"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    given = ["cifar10", "cifar100", "digits", "fashion-mnist", "imagenet", "tiny-imagenet"]
    assert names == sorted([*given, "image-folder", "tensor-file"])
