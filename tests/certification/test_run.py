"""Certifying a run folder: rows, resume, refusals, the command and its report."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import rsc_snn as rs
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.run import certify_run as certify_run_on
from rsc_snn.cli.app import main
from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.summary import WORST
from rsc_snn.networks.folding import folded
from rsc_snn.report.certificates import (
    certificate_table,
    certified_accuracy,
    single_draw_bounds,
    votes_under_attack,
)
from rsc_snn.report.certified_runs import certified_runs_table
from rsc_snn.report.page import write_report
from rsc_snn.runs.files import Row, append_rows, read_rows
from rsc_snn.runs.folder import RunFolder
from tests.certification.bases import Unclamped
from tests.helpers import seeded, small_classifier
from tests.training.launch import run as run_command
from tests.training.launch import together

SHORT_ATTACK = {
    f"rsc_snn.cli.certifying.{name}": number
    for name, number in (("_STEPS", 2), ("_DRAWS", 2), ("_SCORING_DRAWS", 20))
}
NOISY = rs.codings.RandomizedSmoothing(variance=0.1)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make(tmp_path / "run")


def make(folder: Path, coding: rs.codings.AbstractCoding = NOISY) -> Path:
    rs.save(folder, small_classifier(coding), data="digits")
    return folder


def certify_run(
    folder: Path, *, limit: int, rows_per_pass: int | None = None, compiled: str = "auto", **options: Any
) -> list[Row]:
    return certify_run_on(
        folder, Demand(**options), limit=limit, rows_per_pass=rows_per_pass, compiled=compiled
    )


@pytest.mark.parametrize("radius", [None, 0.05])
def test_a_run_that_was_stopped_ends_with_the_same_rows(
    run: Path, tmp_path: Path, radius: float | None
) -> None:
    options: dict[str, Any] = {
        "num_select": 5,
        "num_estimate": 30 if radius is None else 300,
        "target": radius,
    }
    whole = certify_run(run, limit=20, **options)
    assert len(json.loads(RunFolder(run).environment.read_text())) == 1, "once, not with every batch"
    assert [row["index"] for row in whole] == list(range(20))
    other = make(tmp_path / "other")
    append_rows(RunFolder(other).certificates, read_rows(RunFolder(run).certificates)[:11])
    with RunFolder(other).certificates.open("a") as file:
        file.write('{"index": 11, "lab')
    again = certify_run(other, limit=20, **options)
    assert sorted(again, key=lambda row: row["index"]) == whole
    assert len(read_rows(RunFolder(other).certificates)) == 20
    assert certify_run(other, limit=20, **options) == again
    with pytest.raises(RunFolderError, match=r"made with --rows 256, got 32"):
        certify_run(other, limit=20, rows_per_pass=32, **options)
    assert certify_run(other, limit=1, rows_per_pass=32, seed=1, **options)[0]["rows_per_pass"] == 32
    assert certify_run(other, limit=9, seed=1, **options)[-1]["rows_per_pass"] == 32


@pytest.mark.slow
def test_two_processes_certify_and_attack_as_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in SHORT_ATTACK.items():
        monkeypatch.setattr(name, number)
    options = ["--device", "cpu", "--limit", "10", "--samples", "40", "--select", "10", "--radius", "0.1"]
    one, two = make(tmp_path / "one"), make(tmp_path / "two")
    assert main(["certify", str(one), *options]) == 0
    assert "attacks: at most" in capsys.readouterr().out
    told = run_command([*together(2), "certify", str(two), *options], changes=SHORT_ATTACK).stdout
    assert told.count("vote under attack, at most %") == 1
    for name in ("certificates", "attacks"):
        rows = [read_rows(getattr(RunFolder(folder), name)) for folder in (one, two)]
        assert len(rows[0]) == (10 if name == "certificates" else 2 * 10)
        assert rows[0] == rows[1]


def test_rows_of_other_weights_and_damaged_ones_are_refused(run: Path, tmp_path: Path) -> None:
    certify_run(run, limit=2, num_select=2, num_estimate=20)
    path = RunFolder(run).certificates
    row = read_rows(path)[0]
    foreign = make(tmp_path / "foreign")
    for change, message in (
        ({"subject": "0" * 16}, "other weights"),
        ({"counts": [1] * 10}, "votes by class"),
        ({"radius": -1.0}, "radius -1.0"),
        ({"norm": "l7"}, "'l7'"),
        ({"alpha": None}, "alpha None"),
    ):
        RunFolder(foreign).certificates.write_text(json.dumps({**row, **change}) + "\n")
        with pytest.raises(RunFolderError, match=message):
            certify_run(foreign, limit=2, num_select=2, num_estimate=20)
    append_rows(path, [row])
    with pytest.raises(RunFolderError, match="repeats"):
        RunFolder(run).certificate_rows()


def test_the_command_prints_a_table_and_the_report_shows_both_sides(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in SHORT_ATTACK.items():
        monkeypatch.setattr(name, number)
    command = ["certify", str(run), "--device", "cpu", "--limit", "3", "--samples", "40", "--select", "10"]
    assert main(command) == 0
    out = capsys.readouterr().out
    for words in (
        "at most",
        "certified %",
        "vote under attack, at most %",
        "single draw, at least %",
        "0.435",
        "(l_inf 8/255)",
        "abstained",
    ):
        assert words in out
    page = write_report(run).read_text()
    assert "certificates" in page
    assert "lies between what is certified and what attacks leave" in page
    assert main([*command, "--no-attack", "--json"]) == 0
    assert [row["index"] for row in json.loads(capsys.readouterr().out)] == [0, 1, 2]


def test_bad_usage_is_one_line_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, silent = make(tmp_path / "run"), make(tmp_path / "direct", rs.codings.Direct())
    shared = ["--device", "cpu", "--limit", "2"]
    for command in (
        ["certify", str(silent), *shared],
        ["certify", str(run), *shared, "--samples", "9"],
        ["certify", str(run), *shared, "--alpha", "1"],
        ["certify", str(run), *shared, "--radius", "0"],
        ["certify", str(run), *shared, "--samples", "100", "--radius", "2"],
        ["certify", str(run), *shared, "--rows", "0"],
        ["certify", str(tmp_path / "nothing"), *shared],
    ):
        assert main(command) == 2, command
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["certify", str(tmp_path / "nothing"), "--alpha", "2"]) == 2
    assert "alpha" in capsys.readouterr().err, "options are looked at before files"
    for folder in (run, silent):
        assert not RunFolder(folder).certificates.exists()
        assert not RunFolder(folder).attacks.exists()


def row_of(index: int, label: int, predicted: int | None, radius: float, right: int) -> dict[str, object]:
    counts = [1000 - right, right] if label == 1 else [right, 1000 - right]
    return {
        "index": index, "label": label, "predicted": predicted, "radius": radius, "norm": "l2",
        "counts": counts, "num_draws": 1000,
        "num_select": 100, "num_estimate": 1000, "alpha": 0.001, "seed": 0, "target": None,
        "scale": 0.5, "num_values": 64, "batch_size": 8, "rows_per_pass": 256, "compiled": False,
    }  # fmt: skip


def test_certified_accuracy_counts_right_classes_whose_radius_reaches() -> None:
    rows = [
        row_of(0, 1, 1, 0.5, 950),
        row_of(1, 1, 0, 0.9, 100),
        row_of(2, 0, None, 0.0, 500),
        row_of(3, 0, 0, 0.2, 800),
    ]
    assert [certified_accuracy(rows, radius).value for radius in (0.0, 0.2, 0.3, 0.5, 0.6)] == [
        0.5,
        0.5,
        0.25,
        0.25,
        0,
    ]
    table = certificate_table("net", rows)
    assert table.rows[0][0] == "0"
    assert "1 abstained" in " ".join(table.notes)


def test_runs_stand_side_by_side_as_far_as_their_draws_reach() -> None:
    rows = [row_of(0, 1, 1, 0.5, 950), row_of(1, 1, 0, 0.9, 100), row_of(2, 0, None, 0.0, 500)]
    decided = [{**row, "target": 0.25} for row in rows]
    table = certified_runs_table({"net": rows, "none": [], "decided": decided})
    assert table is not None
    (line,) = table.rows
    shown = dict(zip(table.columns, line, strict=True))
    assert (shown["network"], shown["images"], shown["draws"], shown["abstained"]) == (
        "net",
        "3",
        "1,000",
        "1",
    )
    assert shown["r = 0.5"].startswith("33.3 [")
    assert shown["r = 1"].startswith("0.0 [")
    assert shown["r = 1.5"] == "-", "0.5 * Phi^-1(0.001 ** 0.001) = 1.23"
    assert shown["mean radius"] == "0.167"
    assert certified_runs_table({"decided": decided}) is None


def test_the_single_draw_bound_is_a_mean_over_images_at_alpha_over_n() -> None:
    """One image: Phi(Phi^-1(lower) - r / std) with lower by Clopper and Pearson; by scipy here."""
    from scipy import stats

    rows = [row_of(0, 1, 1, 0.5, 950), row_of(1, 0, 0, 0.2, 800)]
    lower = [stats.beta.ppf(0.0005, k, 1000 - k + 1) for k in (950, 800)]
    for radius, found in zip((0.0, 0.4), single_draw_bounds(rows, (0.0, 0.4)), strict=True):
        left = [stats.norm.cdf(stats.norm.ppf(p) - radius / 0.5) for p in lower]
        assert found == pytest.approx(sum(left) / 2, rel=1e-9)


def attacked(
    index: int, eps: float, heldout: int, counts: list[int], *, list_name: str = "a"
) -> dict[str, object]:
    return {
        "suite": list_name, "budget": "full", "seed": 0, "norm": "l2", "eps": eps, "entry": WORST,
        "index": index, "label": 1, "heldout_counts": [100 - heldout, heldout], "heldout_margin": 0.0,
        "adversarial_counts": counts,
    }  # fmt: skip


def test_the_upper_side_counts_images_that_are_surely_lost_to_the_list_that_hurts_most() -> None:
    rows = [row_of(0, 1, 1, 0.5, 950), row_of(1, 1, None, 0.0, 500)]
    near = [attacked(0, 0.25, 90, [20, 180]), attacked(1, 0.25, 45, [105, 95])]
    assert votes_under_attack(rows, near)[0.25].value == 1, "105 of 200 prove nothing"
    far = [attacked(0, 0.25, 95, [5, 195], list_name="b"), attacked(1, 0.25, 10, [180, 20], list_name="b")]
    assert votes_under_attack(rows, near + far)[0.25].value == 0.5
    lucky = [attacked(0, 0.25, 99, [150, 50], list_name="c"), attacked(1, 0.25, 99, [150, 50], list_name="c")]
    assert votes_under_attack(rows, near + lucky)[0.25].value == 1, "never chosen by what scoring draws say"
    assert votes_under_attack(rows, near[:1]) == {}, "an image is missing"
    shown = {row[0]: row[2] for row in certificate_table("net", rows, near).rows}
    assert shown["0.25"].startswith("100.0")
    assert shown["0.5"] == shown["0.251 (l_inf 8/255)"] == "-"


def test_what_is_certified_lies_below_what_attacks_leave_on_a_linear_base(tmp_path: Path) -> None:
    """Images at all distances from the boundary; PGD reaches the optimum; the same rows as the command's."""
    images = torch.linspace(0.05, 0.95, 20).reshape(20, 1, 1, 1).double()
    labels = (images.flatten() > 0.5).long()
    weights = torch.nn.Linear(1, 2).double()
    with torch.no_grad():
        weights.weight.copy_(torch.tensor([[-1.0], [1.0]]))
        weights.bias.copy_(torch.tensor([0.5, -0.5]))
    classifier = rs.wrap(torch.nn.Sequential(torch.nn.Flatten(2), weights), coding=Unclamped(std=0.25)).eval()
    guarantee = Unclamped(std=0.25).guarantee(1, 1)
    rows = [
        each.row(Demand(num_estimate=500), guarantee, 1)
        for each in rs.certify(classifier, images, labels, num_estimate=500, rows_per_pass=5000)
    ]
    attacks = [
        (rs.attacks.PGD(norm=rs.attacks.L2(), eps=eps, num_steps=5, step_size=eps), rs.gradients.BPTT())
        for eps in (0.1, 0.2)
    ]
    found = rs.evaluate(classifier, images, labels, attacks=attacks, num_draws=100)
    upper = votes_under_attack(rows, found.rows)
    for eps, left in upper.items():
        lower = certified_accuracy(rows, eps).value
        truth = float((abs(images - 0.5) > eps).double().mean())
        assert lower <= truth <= left.value
        assert lower > truth - 0.4
        assert left.value < truth + 0.3
    assert set(upper) == {0.1, 0.2}


@pytest.mark.parametrize("name", ["VGG5", "ResNet19"])
def test_a_folded_network_answers_the_same(name: str) -> None:
    spec = rs.networks.VGG5(hidden_width=16) if name == "VGG5" else rs.networks.ResNet19(width_divisor=16)
    network = spec.build(num_classes=4, image_shape=(3, 32, 32), generator=seeded(0)).double()
    current = torch.rand(2, 3, 3, 32, 32, generator=seeded(1), dtype=torch.float64)
    network(current)  # moves the running statistics
    network.eval()
    with torch.no_grad():
        plain, fast = network(current), folded(network)(current)
    torch.testing.assert_close(fast, plain, rtol=1e-9, atol=1e-9)
    assert "norm.running_mean" in " ".join(network.state_dict()), "the network itself stays"
    assert "running_mean" not in " ".join(folded(network).state_dict())
