"""What an audit takes, returns and writes."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import rsc_snn as rs
from rsc_snn.auditing.budget import FULL, QUICK
from rsc_snn.auditing.checks import all_checks
from rsc_snn.auditing.checks.clamped_pixels import ClampedPixels
from rsc_snn.auditing.checks.clean_accuracy import CleanAccuracy
from rsc_snn.auditing.checks.dead_pixels import DeadPixels
from rsc_snn.auditing.checks.more_draws import MoreDraws
from rsc_snn.auditing.checks.repeatability import Repeatability
from rsc_snn.auditing.checks.rising_loss import RisingLoss
from rsc_snn.auditing.checks.unbounded import Unbounded
from rsc_snn.auditing.run import audit_run
from rsc_snn.cli.app import main
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.report.audit_sections import audit_section, lights_section
from rsc_snn.report.audits import audit_flags
from rsc_snn.report.page import write_report
from rsc_snn.runs.audit_schema import NOT_APPLICABLE, WARN
from rsc_snn.runs.files import read_rows, replace_rows
from rsc_snn.runs.folder import RunFolder
from tests.auditing import toys
from tests.helpers import seeded, small_classifier

NOISY = rs.codings.RandomizedSmoothing(variance=0.1)
FEW = [ClampedPixels(), DeadPixels()]


def images_of(num_images: int) -> tuple[torch.Tensor, torch.Tensor]:
    test = rs.data.load("digits", None, "test").at(slice(num_images))
    return test.pixels(), test.labels


def test_every_check_is_found_and_stands_once() -> None:
    names = [type(check).__name__ for check in all_checks()]
    assert len(names) == len(set(names)) == 16
    assert [check.sign for check in all_checks()][:6] == [1, 2, 2, 3, 4, 5]
    assert all(check.title for check in all_checks())


def test_the_budgets_are_those_that_are_documented() -> None:
    assert (FULL.steps, FULL.long_steps, FULL.draws) == (100, 300, (1, 2, 5, 10, 20, 50))
    assert (QUICK.steps, QUICK.long_steps, QUICK.draws) == (20, 60, (1, 2, 5, 10))


def test_the_same_seed_gives_the_same_rows() -> None:
    images, labels = images_of(3)
    runs = [
        rs.audit(small_classifier(NOISY), images, labels, checks=FEW, budget="quick", num_draws=3)
        for _ in range(2)
    ]
    first, second = ([{**row, "seconds": 0} for row in run.rows] for run in runs)
    assert first == second
    assert json.loads(json.dumps(first)) == first
    assert first[0]["num_draws"] == 3


def test_clamped_pixels_of_black_images() -> None:
    """Half of the noise is below 0: half of a black image is clamped, (1/2)^5 of it in all of 5 draws."""
    black, labels = torch.zeros(40, 1, 8, 8), torch.zeros(40, dtype=torch.int64)
    found = rs.audit(small_classifier(NOISY), black, labels, checks=FEW[:1], budget="quick")
    finding = found.answers[0].finding
    points = finding.curve["clamped in every draw"]
    tolerance = 5 * (0.25 / black.numel()) ** 0.5  # five standard errors
    assert [y for _, y, _, _ in points] == pytest.approx([0.5**k for k in range(1, 6)], abs=tolerance)
    assert finding.verdict == WARN
    assert finding.value == points[-1][1]


def test_draws_are_compared_for_a_random_network_only() -> None:
    images, labels = images_of(4)
    checks = [MoreDraws()]
    found = rs.audit(small_classifier(), images, labels, checks=checks, budget="quick")
    assert found.answers[0].finding.verdict == NOT_APPLICABLE
    assert found.worst == NOT_APPLICABLE
    found = rs.audit(small_classifier(NOISY), images, labels, checks=checks, budget="quick", num_draws=2)
    assert [x for x, *_ in found.answers[0].finding.curve["PGD"]] == [1, 2, 5, 10]


def test_bad_input_is_refused() -> None:
    images, labels = images_of(3)
    classifier = small_classifier()
    with pytest.raises(InputError, match="training mode"):
        rs.audit(small_classifier().train(), images, labels)
    with pytest.raises(InputError, match="training mode"):
        rs.audit(classifier, images, labels, sources=[small_classifier().train()])
    with pytest.raises(InputError, match="above 0"):
        rs.audit(classifier, images, labels, eps=0.0)
    with pytest.raises(InputError, match="did you mean 8/255"):
        rs.audit(classifier, images, labels, eps=8.0)
    with pytest.raises(InputError, match="'quick'"):
        rs.audit(classifier, images, labels, budget="quik")
    with pytest.raises(InputError, match="different integers"):
        rs.audit(classifier, images, labels, indices=[0, 0, 1])


def test_sources_that_do_not_fit_are_refused_and_fail_nobody() -> None:
    images, labels = images_of(3)
    spec = rs.networks.VGG5(hidden_width=16)
    network = spec.build(num_classes=3, image_shape=(1, 8, 8), neuron=rs.neurons.LIF())
    source = rs.SpikingClassifier(network, rs.codings.Direct(), 2).eval()
    with pytest.raises(InputError, match="has 3 classes, the victim 10"):
        rs.audit(small_classifier(), images, labels, sources=[source], budget="quick")


def test_a_network_of_nan_fails_and_its_rows_can_be_written(tmp_path: Path) -> None:
    classifier = small_classifier()
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.fill_(torch.nan)
    images, labels = images_of(4)
    checks = [RisingLoss(), Repeatability(), Unbounded()]
    found = rs.audit(classifier, images, labels, checks=checks, budget="quick")
    assert [answer.finding.verdict for answer in found.answers] == ["fail", "fail", "fail"]
    assert found.settings["clean_accuracy"] is None
    replace_rows(tmp_path / "audit.jsonl", found.rows)
    assert len(read_rows(tmp_path / "audit.jsonl")) == 3


def test_the_clean_accuracy_tells_whether_there_is_anything_to_break() -> None:
    images, _ = images_of(6)
    classifier = small_classifier()
    with torch.no_grad():
        answers = classifier(images).argmax(1)
    labels = torch.where(torch.arange(6) < 4, answers, (answers + 1) % 10)
    found = rs.audit(classifier, images, labels, checks=FEW[:1], budget="quick")
    assert found.settings["clean_accuracy"] == pytest.approx(4 / 6)
    assert "6 images, clean accuracy 66.7 %, eps 8/255" in audit_section("net", found.rows).words[0]


def test_a_network_without_gradients_fails_in_words() -> None:
    class Detached(toys.Toy):
        def margin(self, images_BCHW: torch.Tensor) -> torch.Tensor:
            return images_BCHW.detach().flatten(1).sum(1)

    images, labels = toys.grey(4)
    found = rs.audit(rs.wrap(Detached().eval()), images, labels, checks=[Unbounded()], budget="quick")
    assert found.worst == "fail"
    assert "do not depend on the images" in found.answers[0].finding.note


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("rsc_snn.auditing.audit.all_checks", lambda: FEW)
    rs.save(tmp_path / "run", small_classifier(NOISY), data="digits")
    return tmp_path / "run"


def test_a_run_keeps_its_last_audit(run: Path) -> None:
    estimates: list[float] = []
    audit_run(run, budget="quick", limit=2, num_draws=2, on_estimate=estimates.append)
    audit = audit_run(run, budget="quick", limit=3, num_draws=2, seed=1)
    rows = RunFolder(run).audit_rows()
    assert [row["num_images"] for row in rows] == [3, 3]
    assert [row["seed"] for row in rows] == [1, 1]
    assert len({row["subject"] for row in rows}) == 1
    assert [{k: v for k, v in row.items() if k != "subject"} for row in rows] == json.loads(
        json.dumps(audit.rows)
    )
    assert estimates[0] > 0


def test_the_command_prints_verdicts_and_the_report_shows_them(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["audit", str(run), "--budget", "quick", "--limit", "2", "--draws", "2", "--device", "cpu"]
    assert main([*command, "--source", str(run)]) == 0
    out = capsys.readouterr().out
    assert "about" in out
    assert "the gradient sees the pixels" in out
    assert "\x1b[" not in out, "no colours outside a terminal"
    assert main([*command, "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["ClampedPixels", "DeadPixels"]
    page = write_report(run).read_text()
    assert "Audit: " in page
    assert page.count("data:image/png") == 1
    assert "the coding lets gradients through" in page


def test_bad_options_are_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--eps", "8"], ["--budget", "quik"], ["--limit", "0"], ["--source", "nowhere"]):
        assert main(["audit", str(run), *options, "--device", "cpu"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not RunFolder(run).audit.exists()


def test_damaged_rows_are_refused(run: Path) -> None:
    audit_run(run, budget="quick", limit=2, num_draws=2)
    path = RunFolder(run).audit
    rows = read_rows(path)
    for change, message in (
        ({"verdict": "fine"}, "verdict 'fine'"),
        ({"curve": {"PGD": [[1, 2]]}}, "not a list of"),
        ({"value": "high"}, "value 'high'"),
        ({"name": rows[1]["name"]}, "repeats"),
    ):
        replace_rows(path, [{**rows[0], **change}, rows[1]])
        with pytest.raises(RunFolderError, match=message):
            RunFolder(run).audit_rows()


def test_the_report_counts_verdicts_and_says_what_is_weak() -> None:
    row = {
        "name": "Unbounded", "title": "t", "sign": 4, "verdict": "fail", "value": 0.5, "threshold": 0.05,
        "note": "n", "curve": {"PGD": [[0.0, 1.0, 0.9, 1.0], [1.0, 0.5, None, None]]}, "axes": ["eps", "y"],
        "passes": 1, "seconds": 1.0, "budget": "quick", "seed": 0, "eps": 8 / 255, "num_images": 20,
        "num_draws": 5, "is_random": True,
    }  # fmt: skip
    section = audit_section("net", [row, {**row, "verdict": "pass", "curve": {}}])
    assert section.words[0].startswith("1 fail, 1 pass. 20 images, eps 8/255, 5 scoring draws, budget quick")
    assert "fewer than 30" in section.words[0]
    (table,) = section.tables
    assert table.rows[0][2:4] == ["fail", "0.500"]
    assert section.pictures[0].png.startswith(b"\x89PNG")
    assert audit_section("net", [{**row, "curve": {}}]).pictures == []


def test_all_audits_stand_in_one_table() -> None:
    audits = {
        "a": [{"title": "one", "verdict": "pass"}, {"title": "two", "verdict": "fail"}],
        "b": [{"title": "two", "verdict": "warn"}],
    }
    (table,) = lights_section(audits).tables
    assert table.columns == ("check", "a", "b")
    assert table.rows == [["one", "pass", "-"], ["two", "fail", "warn"]]


def test_flags_in_a_cell_name_the_worst_first() -> None:
    shared = {"num_images": 8, "budget": "quick"}
    rows = [
        {"title": title, "verdict": verdict, **shared}
        for title, verdict in (
            ("a", "warn"),
            ("b", "pass"),
            ("c", "fail"),
            ("d", "warn"),
            ("e", "not applicable"),
        )
    ]
    assert audit_flags(rows) == "fail: c; warn: a, d (8 images, quick)"
    assert audit_flags([{**rows[1], "num_images": 1, "budget": "full"}]) == "pass (1 image)"
    assert audit_flags([]) == "-"


def test_a_sound_random_network_passes_on_eight_images_whichever_they_are() -> None:
    """Losses over different draws, as attacks see them, would warn on most of these groups."""
    weights = nn.Linear(64, 10)
    train, test = rs.data.load("digits", split="train"), rs.data.load("digits", split="test")
    images = train.images.flatten(1).float() / 255
    optimizer, noise = torch.optim.Adam(weights.parameters(), lr=1e-2), seeded(0)
    with torch.no_grad():
        weights.weight.copy_(torch.randn(10, 64, generator=noise) / 8)
    for _ in range(150):
        optimizer.zero_grad()
        noisy = (images + 0.3 * torch.randn(images.shape, generator=noise)).clamp(0, 1)
        nn.functional.cross_entropy(weights(noisy), train.labels).backward()
        optimizer.step()
    network = nn.Sequential(nn.Flatten(2), weights).eval()
    classifier = rs.wrap(network, coding=rs.codings.RandomizedSmoothing(variance=0.1))
    for start in range(0, 24, 8):
        rows = slice(start, start + 8)
        pixels, labels = test.images[rows].float() / 255, test.labels[rows]
        found = rs.audit(classifier, pixels, labels, budget="quick", checks=[RisingLoss(), CleanAccuracy()])
        assert [answer.finding.verdict for answer in found.answers] == ["pass", "pass"]


def test_a_pass_on_images_that_are_wrong_anyway_comes_with_a_warning() -> None:
    classifier, (images, _) = small_classifier(), images_of(12)
    with torch.no_grad():
        wrong = (classifier(images).argmax(1) + 1) % 10
    found = rs.audit(classifier, images, wrong, budget="quick", checks=[CleanAccuracy(), FEW[0]])
    assert found.answers[0].finding.verdict == "warn"
    assert found.worst == "warn"
