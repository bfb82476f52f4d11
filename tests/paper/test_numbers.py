"""The paper's numbers against a second copy typed from its text, and against each other."""

import dataclasses
from collections.abc import Sequence

import pytest

from rsc_snn.errors import UnknownNameError
from rsc_snn.paper import numbers
from rsc_snn.paper.checks import check_all, check_duplicates, check_qte
from rsc_snn.paper.claims import CLAIMS
from rsc_snn.paper.number import Number, Status
from rsc_snn.paper.numbers import all_numbers, find, of_place
from rsc_snn.paper.places import PLACES
from tests.paper.source import GAINS, OURS, TABLE_3, TABLE_4, TABLE_5, TABLE_6, Row

COLUMNS = ("Clean", "FGSM", "PGD", "F-QTE", "P-QTE")
PRINTED = {"table3": TABLE_3, "table4": TABLE_4, "table5": TABLE_5, "table6": TABLE_6}


def at(place: str, dataset: str, network: str, method: str, column: str) -> Number:
    found = find(place, dataset, network, method, column)
    assert found is not None
    return found


def typed(place: str, rows: Sequence[Row]) -> dict[tuple[str, ...], float]:
    return {
        (place, dataset, network, method, column): value
        for dataset, network, method, values in rows
        for column, value in zip(COLUMNS, values, strict=False)
    }


@pytest.mark.parametrize("place", ["table4", "table5", "table6"])
def test_complete_tables_hold_what_was_typed_a_second_time(place: str) -> None:
    assert {number.key: number.value for number in of_place(place)} == typed(place, PRINTED[place])


def test_table_3_holds_its_legible_rows_and_marks_the_others() -> None:
    legible = {n.key: n.value for n in of_place("table3") if n.status is Status.LEGIBLE}
    assert legible == typed("table3", TABLE_3)
    rows = {number.key[1:4] for number in of_place("table3")}
    by_network = {
        ("CIFAR-10", "VGG-5"): {"ANN", "Direct", "Poisson", "RSC-0.01", "RSC-0.1"},
        ("CIFAR-100", "VGG-11"): {"ANN", "Direct", "Poisson", "RSC-0.01", "RSC-0.1"},
        ("Tiny-ImageNet", "VGG-16"): {"ANN", "Direct", "Poisson", "RSC-0.01", "RSC-0.1"},
        ("ImageNet", "ResNet-19"): {"ANN", "Direct", "Poisson", "RSC-0.1"},
        ("ImageNet", "SEW-ResNet-18"): {"Direct", "Poisson", "RSC-0.1"},
    }
    assert rows == {(*network, method) for network, methods in by_network.items() for method in methods}
    assert len(of_place("table3")) == 22 * 5


def test_derived_cells_of_table_3_are_those_of_their_sources() -> None:
    sources = typed("table4", [(d, n, m, v[:1]) for d, n, m, v in TABLE_4]) | typed("table6", TABLE_6)
    derived = [number for number in of_place("table3") if number.status is Status.DERIVED]
    assert len(derived) == 2 * (1 + 1 + 5) + 1, (
        "Direct, Poisson and RSC-0.1 of CIFAR, Direct of Tiny-ImageNet"
    )
    for number in derived:
        assert number.note
        values = {sources.get((place, *number.key[1:])) for place in ("table4", "table6")} - {None}
        assert values == {number.value}


def test_cells_of_table_4_that_run_into_one_are_derived() -> None:
    derived = [number for number in of_place("table4") if number.status is Status.DERIVED]
    assert len(derived) == 19
    assert {number.column for number in derived} == {"Clean", "FGSM"}
    assert all("F-QTE" in number.note for number in derived)
    plain = {n.key for n in of_place("table4") if n.status is Status.LEGIBLE and n.dataset != "CIFAR-10"}
    assert {key[4] for key in plain} == {"PGD", "F-QTE", "P-QTE"}


def test_table_7_is_computed_from_the_differences_of_the_text() -> None:
    for (dataset, other), gains in GAINS.items():
        for column, gain, ours in zip(("FGSM", "PGD"), gains, OURS[dataset], strict=True):
            number = at("table7", dataset, "not legible", other, column)
            assert number.value == pytest.approx(ours - gain, abs=1e-9)
            assert number.status is Status.DERIVED
        assert at("table7", dataset, "not legible", other, "Clean").value is None


def test_nothing_of_tables_1_and_2_and_of_the_figures_is_legible() -> None:
    lost = [n for n in all_numbers() if n.place in ("table1", "table2") or n.place.startswith("figure")]
    assert len(lost) == 5 + 1 + 1 + 9 + 27
    assert all(number.status is Status.LOST and number.value is None and number.note for number in lost)


def test_second_hand_numbers_are_not_there() -> None:
    """10.89 and 4.56 were told of the ANN on CIFAR; 2.04 and 0.01 of Direct on Tiny-ImageNet."""
    for network in (("CIFAR-10", "VGG-5"), ("CIFAR-100", "VGG-11")):
        assert all(at("table3", *network, "ANN", column).value is None for column in COLUMNS)
    tiny = [at("table3", "Tiny-ImageNet", "VGG-16", "Direct", column).value for column in COLUMNS]
    assert tiny == [57.90, None, None, None, None]
    values = [number.value for number in all_numbers()]
    assert 10.89 not in values
    assert 2.04 not in values
    assert [n.method for n in all_numbers() if n.value == 4.56] == ["Direct"], "ImageNet, SEW-ResNet-18"
    assert [n.column for n in all_numbers() if n.value == 0.01] == ["step size", "sigma^2"]


def test_numbers_and_notes_fit_their_status() -> None:
    keys = [number.key for number in all_numbers()]
    assert len(set(keys)) == len(keys)
    for number in all_numbers():
        assert (number.value is None) == (number.status is Status.LOST), number.key
        assert number.note or number.status is Status.LEGIBLE, number.key


def test_every_row_has_the_qte_of_its_accuracies() -> None:
    """10 rows of Table 3 and two derived ones, 12 of Table 4, 8 of Table 6, 2 of Table 7; two QTE each."""
    found = check_qte(all_numbers())
    assert len(found) == 2 * (12 + 12 + 8 + 2)
    for finding in found:
        clean = at(*finding.number.key[:4], "Clean").value
        attack = at(*finding.number.key[:4], {"F": "FGSM", "P": "PGD"}[finding.number.column[0]]).value
        assert clean is not None
        assert attack is not None
        assert finding.expected == pytest.approx(0.04 * (clean + attack))
        assert finding.number.value is not None
        assert abs(finding.number.value - finding.expected) < 0.0055
        assert finding.agrees


def test_cells_that_stand_in_several_tables_agree() -> None:
    found = check_duplicates(all_numbers())
    assert all(finding.agrees for finding in found)
    pairs = {(finding.source, finding.number.place) for finding in found}
    assert {("table3", "table4"), ("table3", "table5"), ("table3", "table6"), ("table6", "table7")} <= pairs
    black_box = [f for f in found if f.number.place == "table4"]
    assert {finding.number.column for finding in black_box} == {"Clean"}


@pytest.mark.parametrize(
    ("key", "wrong", "checks"),
    [
        (("table4", "CIFAR-100", "VGG-11", "Poisson", "FGSM"), 37.03, {"QTE"}),
        (("table6", "ImageNet", "SEW-ResNet-18", "RSC-0.1 + E-RSCT", "P-QTE"), 2.52, {"QTE"}),
        (("table3", "ImageNet", "ResNet-19", "Poisson", "Clean"), 42.21, {"QTE"}),
        (("table5", "CIFAR-100", "VGG-11", "RSC-0.1", "PGD"), 24.36, {"duplicate"}),
        (("table6", "CIFAR-10", "VGG-5", "RSC-0.1", "FGSM"), 57.29, {"QTE", "duplicate"}),
        (("table4", "CIFAR-10", "VGG-5", "Poisson", "Clean"), 83.81, {"duplicate", "QTE"}),
    ],
)
def test_a_wrong_digit_is_caught(key: tuple[str, ...], wrong: float, checks: set[str]) -> None:
    planted = [dataclasses.replace(n, value=wrong) if n.key == key else n for n in all_numbers()]
    assert planted != list(all_numbers())
    failed = [finding for finding in check_all(planted) if not finding.agrees]
    assert {finding.check for finding in failed} == checks


def test_numbers_are_found_by_place_and_cell() -> None:
    assert at("table6", "CIFAR-10", "VGG-5", "RSC-0.1", "PGD").value == 37.28
    assert at("text", "CIFAR-10", "VGG-5", "RSC-0.1", "gain in PGD over Direct").value == 58.91
    assert find("table6", "CIFAR-10", "VGG-5", "RSC-0.2", "PGD") is None
    with pytest.raises(UnknownNameError, match="did you mean 'table6'"):
        of_place("tabel6")


def test_test_sets_have_their_sizes() -> None:
    sizes = [numbers.test_size(name) for name in ("CIFAR-10", "CIFAR-100", "Tiny-ImageNet", "ImageNet")]
    assert sizes == [10_000, 10_000, 10_000, 50_000]
    with pytest.raises(UnknownNameError, match="did you mean 'CIFAR-10'"):
        numbers.test_size("CIFAR10")


def test_places_are_described_in_order() -> None:
    expected = [*(f"table{i}" for i in range(1, 8)), *(f"figure{i}" for i in range(1, 4)), "text"]
    assert [place.name for place in PLACES] == expected
    assert list(numbers.places()) == expected
    states = {place.name: place.state for place in PLACES}
    assert states["table2"] == "0 legible, 0 derived, 1 lost"
    assert states["table3"] == "50 legible, 15 derived, 45 lost"
    assert states["table4"] == "41 legible, 19 derived, 0 lost"


def test_numbers_of_the_text_are_those_of_its_sentences() -> None:
    """Settings of Sections 2.2 and 3.5, then Sections 4.2, 4.3, 4.4 and 4.5."""
    gains = [gain for pair in GAINS.values() for gain in pair]
    trained = [51.29, 55.58, 37.28, 43.59, 32.48, 35.53, 24.35, 27.57]
    ablation = [0.01, 0.1, 0.5, 2, 4, 6, 8]
    expected = [8, 0.01, 7, 0.1, 58.91, *trained, 1.74, 3.23, 2.70, 1, *ablation, 0.1, 0.1, *gains]
    assert [number.value for number in of_place("text")] == expected
    for (dataset, other), pair in GAINS.items():
        network = {"CIFAR-10": "VGG-5", "CIFAR-100": "VGG-11"}[dataset]
        found = [
            at("text", dataset, network, "RSC-0.1 + E-RSCT", f"gain in {column} over {other}").value
            for column in ("FGSM", "PGD")
        ]
        assert found == list(pair)
        claim = next(c for c in CLAIMS if c.id == f"above-{other.lower()}-{dataset.lower().replace('-', '')}")
        assert all(f"{gain:.2f}" in claim.says for gain in pair)


def test_what_the_text_says_of_adversarial_training_is_table_5() -> None:
    table = {(dataset, method): values for dataset, _, method, values in TABLE_5}
    for dataset, network in (("CIFAR-10", "VGG-5"), ("CIFAR-100", "VGG-11")):
        for place, column in ((1, "FGSM"), (2, "PGD")):
            for when, method in (("without", "RSC-0.1"), ("with", "RSC-0.1 + Adv")):
                found = at("text", dataset, network, "RSC + adversarial training", f"{column} {when}")
                assert found.value == table[dataset, method][place]


def test_the_note_of_table_7_names_what_would_be_negative() -> None:
    """Gains taken from the row without E-RSCT: negative for PGD of Vanilla, and for nothing else."""
    plain = {dataset: values for dataset, _, method, values in TABLE_6 if method == "RSC-0.1"}
    negative = [
        f"{plain[dataset][place] - gain:.2f}"
        for (dataset, _), pair in GAINS.items()
        for place, gain in zip((1, 2), pair, strict=True)
        if plain[dataset][place] < gain
    ]
    assert negative == ["-2.67", "-2.30"]
    for dataset, network in (("CIFAR-10", "VGG-5"), ("CIFAR-100", "VGG-11")):
        note = at("table7", dataset, network, "RSC-0.1 + E-RSCT", "PGD").note
        assert "the PGD accuracies of Vanilla would be negative: -2.67 and -2.30" in note


def test_two_swapped_cells_are_caught() -> None:
    """Clean and FGSM the other way round leave F-QTE as it is; P-QTE tells."""
    clean, fgsm = (at("table4", "CIFAR-100", "VGG-11", "Direct", column) for column in ("Clean", "FGSM"))
    other = {clean.key: fgsm.value, fgsm.key: clean.value}
    planted = [dataclasses.replace(n, value=other[n.key]) if n.key in other else n for n in all_numbers()]
    failed = {(finding.check, finding.number.column) for finding in check_qte(planted) if not finding.agrees}
    assert failed == {("QTE", "P-QTE")}
