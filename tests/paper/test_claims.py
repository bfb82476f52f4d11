"""What the tables say about each claim, against calculations by hand from the printed rows."""

import dataclasses
import re

import pytest

from rsc_snn.paper.claim import Verdict
from rsc_snn.paper.claims import CLAIMS
from rsc_snn.paper.number import Number
from rsc_snn.paper.numbers import all_numbers, places
from tests.paper.source import TABLE_3, TABLE_4, TABLE_6

BY_ID = {claim.id: claim for claim in CLAIMS}
HOLDS, CONTRADICTED, LOST, TO_MEASURE = Verdict

# Every claim: its answer; pairs of cells that agree, pairs that are legible, pairs that are not.
EXPECTED: dict[str, tuple[Verdict, tuple[int, int, int] | None]] = {
    "surpasses-anns": (HOLDS, (2, 2, 0)),
    "state-of-the-art": (LOST, None),
    "poisson-above-ann": (LOST, (0, 0, 4)),
    "direct-below-ann": (LOST, (0, 0, 4)),
    "poisson-costs-clean": (HOLDS, (5, 5, 0)),
    "rsc1-more-robust-than-rsc2": (TO_MEASURE, None),
    "rsc1-less-accurate-than-rsc2": (TO_MEASURE, None),
    "expectation": (TO_MEASURE, None),
    "theorem-3.2": (TO_MEASURE, None),
    "theorem-3.3": (TO_MEASURE, None),
    "proposition-3.4": (TO_MEASURE, None),
    "observation-3.5": (TO_MEASURE, None),
    "no-masked-gradients": (TO_MEASURE, None),
    "single-step-is-weaker": (HOLDS, (15, 15, 0)),
    "black-box-is-weaker": (HOLDS, (8, 8, 0)),
    "eot-defence": (TO_MEASURE, None),
    "white-box-cifar": (LOST, (0, 0, 8)),
    "white-box-tiny-imagenet": (LOST, (2, 2, 2)),
    "white-box-imagenet": (HOLDS, (8, 8, 0)),
    "white-box-above-poisson": (LOST, (6, 6, 4)),
    "gain-of-58.91": (CONTRADICTED, None),
    "white-box-qte": (CONTRADICTED, (8, 10, 10)),
    "rsc-costs-clean": (HOLDS, (5, 5, 0)),
    "black-box": (HOLDS, (16, 16, 0)),
    "black-box-qte": (HOLDS, (16, 16, 0)),
    "adversarial-training-cifar10": (HOLDS, None),
    "adversarial-training-cifar100": (HOLDS, None),
    "adversarial-training-of-others": (LOST, None),
    "ersct-improves": (HOLDS, (12, 12, 0)),
    "ersct-cifar10": (HOLDS, None),
    "ersct-other-data": (HOLDS, None),
    "ersct-qte": (HOLDS, (8, 8, 0)),
    "more-noise-less-accurate": (TO_MEASURE, (1, 1, 0)),
    "more-noise-more-robust": (TO_MEASURE, (2, 2, 0)),
    "more-noise-wider-spread": (TO_MEASURE, None),
    "above-vanilla-cifar10": (LOST, None),
    "above-snn-rat-cifar10": (LOST, None),
    "above-vanilla-cifar100": (LOST, None),
    "above-snn-rat-cifar100": (LOST, None),
    "qte-as-others": (LOST, None),
    "less-accurate-than-vanilla": (LOST, None),
}


def changed(key: tuple[str, ...], value: float | None) -> list[Number]:
    numbers = [dataclasses.replace(n, value=value) if n.key == key else n for n in all_numbers()]
    assert numbers != list(all_numbers())
    return numbers


def test_every_claim_has_the_answer_found_by_hand() -> None:
    assert {claim.id: claim.answer().verdict for claim in CLAIMS} == {k: v for k, (v, _) in EXPECTED.items()}
    assert len(BY_ID) == len(CLAIMS)


@pytest.mark.parametrize("name", [name for name, (_, counts) in EXPECTED.items() if counts])
def test_pairs_of_cells_are_counted(name: str) -> None:
    counts = EXPECTED[name][1]
    assert counts is not None
    agree, legible, lost = counts
    words = f"true in {agree} of {legible} pairs of legible cells"
    words += f"; {lost} more pairs have a lost cell" if lost else ""
    words = words if legible else f"no pair of cells is legible: {lost} have a lost cell"
    assert BY_ID[name].answer().evidence[0] == words


def test_counts_by_hand_from_the_typed_rows() -> None:
    """The same questions asked of the second copy of the tables, with other code."""
    black = {(d, n, m): v for d, n, m, v in TABLE_4}
    for (dataset, network, method), values in black.items():
        ours = black[dataset, network, "RSC-0.1"]
        assert method == "RSC-0.1" or all(a > b for a, b in zip(ours[1:], values[1:], strict=True))
    with_ersct = {(d, n): v for d, n, m, v in TABLE_6 if m != "RSC-0.1"}
    without = {(d, n): v for d, n, m, v in TABLE_6 if m == "RSC-0.1"}
    assert all(a > b for key in without for a, b in zip(with_ersct[key], without[key], strict=True))
    white = {(n, m): v for _, n, m, v in TABLE_3}
    below = [
        (network, method, column)
        for (network, method), values in white.items()
        for column in (3, 4)
        if method in ("ANN", "Direct", "Poisson") and white[network, "RSC-0.1"][column] < values[column]
    ]
    assert below == [("ResNet-19", "ANN", 3), ("ResNet-19", "ANN", 4), ("ResNet-19", "Direct", 4)] + [
        ("SEW-ResNet-18", "Direct", 4)
    ]
    evidence = " ".join(BY_ID["white-box-qte"].answer().evidence[1:])
    for words in ("F-QTE: RSC-0.1 2.48 < ANN 2.71", "P-QTE: RSC-0.1 2.11 < ANN 2.68"):
        assert (
            f"the text compares codings, not RSC with an ANN: Table 3, ImageNet, ResNet-19, {words}"
            in evidence
        )
    for words in ("P-QTE: RSC-0.1 2.11 < Direct 2.26", "P-QTE: RSC-0.1 2.45 < Direct 2.58"):
        assert words in evidence
    assert len(BY_ID["white-box-qte"].answer().evidence) == 1 + len(below)


def test_the_impossible_gain_is_bounded_by_the_accuracy_itself() -> None:
    """37.28 - 58.91 < 0; as a ratio 37.28 / 1.5891 = 23.46, against 3.52 under a black-box attack."""
    answer = BY_ID["gain-of-58.91"].answer()
    assert "at most 37.28" in answer.evidence[0]
    assert "23.46" in answer.evidence[1]
    assert "3.52" in answer.evidence[1]


def test_the_average_gain_of_ersct_is_that_of_the_nine_numbers() -> None:
    """CIFAR-100 .99, 2.41, 2.32; Tiny-ImageNet .82, 1.38, 1.71; ImageNet .98, 1.35, 1.46."""
    answer = BY_ID["ersct-other-data"].answer()
    assert "1.91, 1.30, 1.26; 1.49 over all nine" in answer.evidence[0]
    assert sum((0.99, 2.41, 2.32, 0.82, 1.38, 1.71, 0.98, 1.35, 1.46)) / 9 == pytest.approx(1.4911, abs=1e-4)
    assert "clean accuracy alone the mean gain is 0.93, which is not above 1" in answer.evidence[1]


def test_stated_gains_are_differences_of_cells() -> None:
    evidence = BY_ID["ersct-cifar10"].answer().evidence
    expected = (
        "Clean 80.29 to 82.03 is +1.74",
        "FGSM 51.29 to 54.52 is +3.23",
        "PGD 37.28 to 39.98 is +2.70",
    )
    for words, found in zip(expected, evidence, strict=True):
        assert words in found


@pytest.mark.parametrize(
    ("name", "key", "value", "verdict"),
    [
        ("ersct-cifar10", ("table6", "CIFAR-10", "VGG-5", "RSC-0.1 + E-RSCT", "PGD"), 39.89, CONTRADICTED),
        ("ersct-cifar10", ("table6", "CIFAR-10", "VGG-5", "RSC-0.1 + E-RSCT", "PGD"), None, LOST),
        ("black-box", ("table4", "CIFAR-10", "VGG-5", "Poisson", "PGD"), 49.55, CONTRADICTED),
        ("black-box", ("table4", "CIFAR-10", "VGG-5", "Poisson", "PGD"), None, LOST),
        ("gain-of-58.91", ("table6", "CIFAR-10", "VGG-5", "RSC-0.1", "PGD"), 60.0, HOLDS),
        ("ersct-other-data", ("table6", "ImageNet", "SEW-ResNet-18", "RSC-0.1", "FGSM"), 27.0, CONTRADICTED),
        ("ersct-other-data", ("table6", "ImageNet", "SEW-ResNet-18", "RSC-0.1", "FGSM"), None, LOST),
        (
            "adversarial-training-cifar10",
            ("table5", "CIFAR-10", "VGG-5", "RSC-0.1 + Adv", "FGSM"),
            55.85,
            CONTRADICTED,
        ),
        (
            "more-noise-less-accurate",
            ("table3", "Tiny-ImageNet", "VGG-16", "RSC-0.01", "Clean"),
            47.0,
            CONTRADICTED,
        ),
        ("white-box-imagenet", ("table3", "ImageNet", "ResNet-19", "Poisson", "PGD"), 9.0, CONTRADICTED),
    ],
)
def test_answers_follow_the_numbers(
    name: str, key: tuple[str, ...], value: float | None, verdict: Verdict
) -> None:
    assert BY_ID[name].answer(changed(key, value)).verdict is verdict


def test_what_is_to_be_measured_names_its_place() -> None:
    for claim in CLAIMS:
        answer = claim.answer()
        if answer.verdict is TO_MEASURE:
            assert answer.measured_by in {*places(), "theory", "compare"}, claim.id
        else:
            assert answer.measured_by is None
            assert answer.evidence, claim.id


def test_gains_over_other_works_are_not_checked_against_themselves() -> None:
    for name in ("above-vanilla-cifar10", "above-vanilla-cifar100"):
        evidence = BY_ID[name].answer().evidence
        assert "computed from this very claim" in evidence[0]
        assert "the gain cannot be its own" in evidence[1]


def test_pairs_that_a_claim_is_not_about_are_shown_and_decide_nothing() -> None:
    poisson = BY_ID["white-box-above-poisson"]
    beside = "the text does not say whether little noise is meant too: Table 3, Tiny-ImageNet, VGG-16, "
    assert poisson.answer().evidence[1:3] == (
        f"{beside}FGSM: RSC-0.01 7.73 > Poisson 6.79",
        f"{beside}PGD: RSC-0.01 2.15 < Poisson 2.68",
    )
    direct = BY_ID["direct-below-ann"].answer()
    assert direct.verdict is LOST
    assert direct.evidence[1:] == (
        "on larger data, of which the claim does not speak: Table 3, ImageNet, ResNet-19, FGSM: ANN 0.66 < "
        "Direct 2.57",
        "on larger data, of which the claim does not speak: Table 3, ImageNet, ResNet-19, PGD: ANN 0.00 < "
        "Direct 0.02",
    )
    key = ("table3", "Tiny-ImageNet", "VGG-16", "RSC-0.1", "PGD")
    assert poisson.answer(changed(key, 2.5)).verdict is CONTRADICTED


def test_claims_say_no_more_than_the_text() -> None:
    """Section 4.2 names no noise level beside Poisson coding, and no ANN beside a QTE."""
    assert "little" not in BY_ID["white-box-above-poisson"].says
    assert "ANN" not in BY_ID["white-box-qte"].says


def test_places_of_claims_are_written_alike() -> None:
    for claim in CLAIMS:
        assert re.match(r"(Abstract|Sections? \d)", claim.section), claim.id


def test_no_answer_counts_none_of_none() -> None:
    for claim in CLAIMS:
        assert "0 of 0" not in " ".join(claim.answer().evidence), claim.id
