"""The card of a network says what its rows say: each number once, with its interval and its images."""

from dataclasses import replace
from pathlib import Path

import pytest

from rsc_snn.evaluation.flags import NOT_RUN, QUICK_BUDGET
from rsc_snn.evaluation.intervals import wilson
from rsc_snn.report.card import Measured, Weights, card, clean_words
from rsc_snn.runs.files import Row
from tests.report.folders import attack_row, audit_row

WEIGHTS = Weights(checksum="ab" * 32, num_bytes=851_488)
SPEC = {
    "seed": 3,
    "data": "digits",
    "recipe": {
        "kind": "Recipe", "name": "digits-vgg5-rsc0.1", "objective": {"kind": "CrossEntropy"},
        "training": {"kind": "Training", "epochs": 2, "num_validation": 41},
    },
    "classifier": {
        "blueprint": {
            "network": {"kind": "VGG5", "hidden_width": 8}, "neuron": {"kind": "LIF", "decay": 0.5},
            "num_classes": 10, "image_shape": [1, 8, 8],
        },
        "coding": {"kind": "RandomizedSmoothing", "variance": 0.1},
        "num_steps": 4,
    },
}  # fmt: skip
MACHINE = {
    "command": ["rsc-snn", "train", "x"], "device": {"type": "cpu", "name": "a processor", "threads": 2},
    "packages": {"torch": "2.13"}, "source": {"commit": "c" * 40, "dirty": True},
}  # fmt: skip
EPOCHS: list[Row] = [
    {"epoch": 1, "loss": 2.0, "train_accuracy": 0.5, "validation_accuracy": 0.4, "seconds": 60.0},
    {"epoch": 2, "loss": 0.5, "train_accuracy": 0.9, "validation_accuracy": None, "seconds": 30.0},
]


def paper(entry: str, right: int, num_images: int = 40) -> list[Row]:
    return [attack_row(i, right, clean=8, entry=entry) for i in range(num_images)]


def reliable(budget: str, flags: list[str]) -> list[Row]:
    worst = [
        attack_row(
            i, 4, clean=8, suite="reliable", budget=budget, entry="worst", flags=flags, winner="Square"
        )
        for i in range(35)
    ]
    idle = {**worst[0], "entry": "transfer", "flags": [NOT_RUN], "adversarial_counts": None}
    return worst + [{**idle, "index": i} for i in range(35)]


def measured(*attacks: Row) -> Measured:
    environments = [{**MACHINE, "data": {"train": "f", "num_images": 1041}}, {**MACHINE, "subject": "s"}]
    rows = list(attacks) or [*paper("FGSM", 7), *paper("PGD", 6), *paper("worst", 5)]
    return Measured(SPEC, environments, EPOCHS, rows, [], [])


def written(found: Measured) -> str:
    return card("a-name", found, WEIGHTS, rows_at="results/zoo/a-name")


def cells(mean: float, num_images: int, vote: float) -> str:
    shown = [[100 * number for number in wilson(each, num_images)] for each in (mean, vote)]
    return " | ".join(f"{value:.1f} [{low:.1f}, {high:.1f}]" for value, low, high in shown)


def test_numbers_stand_with_interval_images_and_draws() -> None:
    text = written(measured())
    assert f"| clean | - | {cells(0.8, 40, 1.0)} | 40 | 10 |" in text
    assert f"| attacked: FGSM, linf 8/255 | paper | {cells(0.7, 40, 1.0)} | 40 | 10 |" in text
    assert f"| attacked: PGD, linf 8/255 | paper | {cells(0.6, 40, 1.0)} | 40 | 10 |" in text
    assert text.count("attacked: ") == 2, "the worst case of the paper's suite is not of its protocol"
    low, high = (f"{100 * each:.1f}" for each in wilson(0.8, 40)[1:])
    assert clean_words(text) == f"clean 80.0 [{low}, {high}] % of 40 images"
    assert "Protocol *reliable* was not run" in text
    assert "Nothing is certified." in text


def test_a_quick_budget_is_labelled_not_reliable_and_a_full_one_is_not() -> None:
    quick = written(measured(*paper("FGSM", 7), *reliable("quick", [QUICK_BUDGET])))
    line = f"worst of the list, linf 8/255 | reliable, budget quick: NOT reliable | {cells(0.4, 35, 0.0)} |"
    assert f"{line} 35 | 10 |" in quick
    assert "not reliable: the budget is quick." in quick
    assert f"| 35 | {cells(0.8, 35, 0.7)} | - | {cells(0.4, 35, 0.0)} | the budget is quick |" in quick
    assert "Transfer from other networks was not run." in quick
    full = written(measured(*paper("FGSM", 7), *reliable("full", [])))
    assert f"| reliable | {cells(0.4, 35, 0.0)} | 35 | 10 |" in full
    assert "not reliable" not in full.lower()


@pytest.mark.parametrize(("num_images", "is_warned"), [(29, True), (30, False)])
def test_few_images_are_said_so(num_images: int, is_warned: bool) -> None:
    text = written(measured(*paper("FGSM", 7, num_images)))
    assert ("Fewer than 30 images" in text) == is_warned


def test_how_it_was_made_comes_from_specification_and_environments() -> None:
    text = written(measured())
    for line in (
        "Recipe `digits-vgg5-rsc0.1`, seed 3; `run.yaml` repeats it.",
        "Objective `CrossEntropy()`.",
        "`Training(epochs=2, num_validation=41)`.",
        "2 epochs on 1,000 images in 1.5 minutes; last epoch: loss 0.500, 90.0 % of training images right.",
        "Trained on a processor, 2 threads, torch 2.13, commit cccccccccccc, changed.",
        "Measured on a processor, 2 threads, torch 2.13, commit cccccccccccc, changed.",
    ):
        assert f"- {line}\n" in text
    assert "`VGG5(hidden_width=8)` with neurons `LIF(decay=0.5)`" in text
    assert f"`{'ab' * 32}`" in text
    assert "(0.85 MB)" in text


def test_a_run_saved_by_hand_says_that_its_training_is_not_recorded() -> None:
    spec = {key: value for key, value in SPEC.items() if key != "recipe"}
    text = written(replace(measured(), spec=spec, training=[], environments=[]))
    assert "how it was trained is not recorded" in text


def test_an_audit_shows_every_check() -> None:
    rows = [audit_row(1, "more-steps", "fail", 0.25), audit_row(None, "unbounded", "pass", 0.0)]
    text = written(replace(measured(), audit=rows))
    signs = {"more steps": "fail | 0.250", "unbounded": "pass | 0.000"}
    for title, shown in signs.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {title} |")]
        assert line.endswith(f" {shown} | 0.050 |")
    assert "on 40 images, l_inf 8/255, 20 draws, seed 0" in text


def test_a_card_is_written_without_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, rsc_snn.report.card, rsc_snn.runs.zoo_copies; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
