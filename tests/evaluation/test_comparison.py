"""Comparing two runs: which rows belong together, what is refused, and the coverage of the intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rsc_snn.errors import InputError
from rsc_snn.evaluation.comparison import Comparison, compare_rows
from rsc_snn.evaluation.differences import mean_difference
from rsc_snn.runs.files import Row
from tests.evaluation.comparing import Model, row, rows_of

Ends = tuple[float, float]
Interval = Callable[[NDArray[np.float64], NDArray[np.float64], int], Ends]


def attacked(first: list[Row], second: list[Row], measure: str = "single draw") -> Comparison:
    """The only comparison under attack of that measure."""
    found = [c for c in compare_rows(first, second).comparisons if not c.is_clean and c.measure == measure]
    assert len(found) == 1
    return found[0]


def test_differences_are_those_of_the_same_images() -> None:
    """Shares 1, .4, .2 against .6, .4, 1 differ by .4, 0, -.8; votes are 1, 0, 0 against 1, 0, 1."""
    first, second = rows_of([5, 2, 1]), list(reversed(rows_of([3, 2, 5])))
    share = attacked(first, second)
    assert share.difference.value == pytest.approx(-0.4 / 3)
    assert share.first.value == pytest.approx(1.6 / 3)
    assert share.second.value == pytest.approx(2.0 / 3)
    assert share.difference.low == pytest.approx(mean_difference([0.4, 0.0, -0.8]).low)
    assert share.chance is None
    vote = attacked(first, second, "majority vote")
    assert (vote.only_first, vote.only_second) == (0, 1)
    assert vote.difference.value == pytest.approx(-1 / 3)
    assert vote.chance == 1.0


def test_mcnemar_is_scipys_on_the_images_that_one_run_alone_has_right() -> None:
    first = rows_of([1] * 30 + [0] * 10 + [1] * 20, draws=1)
    second = rows_of([0] * 30 + [1] * 10 + [1] * 20, draws=1)
    found = attacked(first, second)
    assert (found.only_first, found.only_second) == (30, 10)
    assert found.chance == pytest.approx(stats.binomtest(30, 40).pvalue)
    measures = [(c.is_clean, c.measure) for c in compare_rows(first, second).comparisons]
    assert measures == [(True, "single draw"), (False, "single draw")], "a vote of one draw is that draw"


def test_only_images_that_both_runs_have_are_compared() -> None:
    found = attacked(rows_of([5] * 10), rows_of([5] * 10)[4:])
    assert [r["index"] for r in found.pair.first] == [4, 5, 6, 7, 8, 9]
    assert [r["index"] for r in found.pair.second] == [4, 5, 6, 7, 8, 9]


def test_entries_are_matched_by_suite_budget_norm_eps_and_name() -> None:
    first = rows_of([5] * 4) + rows_of([4] * 4, eps=4 / 255) + rows_of([3] * 4, entry="FGSM", attack="FGSM()")
    second = rows_of([1] * 4) + rows_of([2] * 4, eps=4 / 255) + rows_of([0] * 4, norm="l2")
    compared = compare_rows(first, second)
    found = [c for c in compared.comparisons if not c.is_clean and c.measure == "single draw"]
    assert [c.pair.first[0]["eps"] for c in found] == [8 / 255, 4 / 255]
    assert [c.difference.value for c in found] == pytest.approx([0.8, 0.4])
    assert "only the first run has FGSM of suite paper (budget full, linf, eps 8/255)" in compared.notes
    assert any(
        note.startswith("only the second run has PGD of suite paper (budget full, l2")
        for note in compared.notes
    )


def test_clean_images_come_from_the_entry_with_the_most_of_them() -> None:
    first = rows_of([5] * 4) + rows_of([5] * 9, eps=4 / 255, clean=3)
    second = rows_of([5] * 4) + rows_of([5] * 9, eps=4 / 255, clean=1)
    clean = compare_rows(first, second).comparisons[0]
    assert clean.is_clean
    assert len(clean.pair.first) == 9
    assert clean.difference.value == pytest.approx(0.4)


def test_the_seed_that_both_have_is_taken_else_the_lowest_of_each() -> None:
    both = rows_of([5] * 4) + rows_of([4] * 4, seed=2)
    assert attacked(both, rows_of([0] * 4, seed=2)).difference.value == pytest.approx(0.8)
    found = attacked(both, rows_of([0] * 4, seed=7))
    assert found.pair.seeds == (0, 7)
    assert found.difference.value == pytest.approx(1.0)


def test_entries_that_are_only_ranked_are_left_out() -> None:
    ranked = rows_of([5] * 4, entry="APGD-CE", adversarial_counts=None)
    worst = rows_of([5] * 4, entry="worst", attack="worst")
    compared = compare_rows(ranked + worst, ranked + worst)
    assert {c.pair.first[0]["entry"] for c in compared.comparisons} == {"worst"}
    assert compared.notes == []


def test_an_attack_of_the_same_name_with_other_settings_is_left_out() -> None:
    other = rows_of([5] * 4, attack="PGD(num_steps=1)")
    with pytest.raises(InputError, match=r"PGD is left out: it is PGD\(\) by BPTT\(\) in the first run"):
        compare_rows(rows_of([5] * 4), other)


def test_worst_cases_over_different_lists_are_noted() -> None:
    worst = rows_of([5] * 4, entry="worst", attack="worst", suite="reliable")
    transfer = rows_of([5] * 4, entry="transfer", suite="reliable", adversarial_counts=None)
    missing = [{**r, "flags": ["not-run"]} for r in transfer]
    compared = compare_rows(worst + transfer, worst + missing)
    assert compared.notes == ["the worst case of suite reliable includes 'transfer' in the first run only"]
    assert compare_rows(worst + transfer, worst + transfer).notes == []


def with_worst(suite: str, **changes: Any) -> list[Row]:
    """A list of one entry, which is only ranked, and its worst case."""
    entry = rows_of([5] * 4, suite=suite, adversarial_counts=None, **{"entry": "A", **changes})
    return entry + rows_of([5] * 4, suite=suite, entry="worst", attack="worst")


EXPECTED = "Expectation(of={}, num_draws=5, loss='mean_loss')"
TRANSFER = "Transfer(eps=0.1, sources=({}), of=APGD(num_steps={}))"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"attack": "PGD(num_steps=7)"}, {"attack": "PGD(num_steps=8)"}),
        ({"attack": TRANSFER.format("'a'", 20)}, {"attack": TRANSFER.format("'a'", 30)}),
        ({"gradient": "BPTT()"}, {"gradient": "RateGradient()"}),
        ({"gradient": EXPECTED.format("BPTT()")}, {"gradient": EXPECTED.format("RateGradient()")}),
        ({"gradient": EXPECTED.format("BPTT()")}, {"gradient": EXPECTED.format("BPTT()").replace("5", "9")}),
    ],
)
@pytest.mark.parametrize("suite", ["paper", "reliable"])
def test_worst_cases_of_other_attacks_of_the_same_names_are_left_out(
    suite: str, first: dict[str, str], second: dict[str, str]
) -> None:
    lists = [with_worst(suite, **changes) for changes in (first, second)]
    message = f"the worst case of suite {suite} is left out: its A is "
    with pytest.raises(InputError, match=message):
        compare_rows(*lists)
    others = [rows_of([5] * 4) + rows for rows in lists]
    compared = compare_rows(*others)
    assert {c.pair.first[0]["entry"] for c in compared.comparisons} == {"PGD"}
    (note,) = compared.notes
    for part in (message, *first.values(), *second.values()):
        assert part in note


FITTED = [
    (
        {"gradient": "BPTT()"},
        {"gradient": EXPECTED.format("BPTT()")},
        "gradients are averaged over noise draws in the second run only",
    ),
    (
        {"gradient": EXPECTED.format("TimeAverage(width=1.0)")},
        {"gradient": EXPECTED.format("TimeAverage(width=1.45)")},
        "width of 'A': 1.0 in the first run and 1.45 in the second",
    ),
    (
        {"attack": TRANSFER.format("'a', 'b'", 20)},
        {"attack": TRANSFER.format("'c'", 20)},
        "sources of 'A': 'a', 'b' in the first run and 'c' in the second",
    ),
]


@pytest.mark.parametrize(("first", "second", "note"), FITTED)
def test_what_the_reliable_suite_fits_to_a_network_is_noted(
    first: dict[str, str], second: dict[str, str], note: str
) -> None:
    compared = compare_rows(with_worst("reliable", **first), with_worst("reliable", **second))
    assert {c.pair.first[0]["entry"] for c in compared.comparisons} == {"worst"}
    assert compared.notes == [f"the worst case of suite reliable: {note}"]
    with pytest.raises(InputError, match="the worst case of suite paper is left out"):
        compare_rows(with_worst("paper", **first), with_worst("paper", **second))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([], rows_of([1]), "the first run has no rows; make them with 'rsc-snn attack RUN'"),
        (rows_of([1]), [], "the second run has no rows"),
        (
            rows_of([1, 2]),
            rows_of([1, 2], label=1),
            "image 0 has label 0 of 2 classes in one place and 1 of 2",
        ),
        (rows_of([1]), rows_of([1], clean_counts=[5, 0, 0]), "0 of 2 classes in one place and 0 of 3"),
        (rows_of([1, 2])[:1], rows_of([1, 2])[1:], "PGD: no image in common"),
        (
            rows_of([1]),
            rows_of([1], suite="reliable"),
            "no scored entry in common; only the first run has PGD",
        ),
        (rows_of([1]), rows_of([1], budget="quick"), "no scored entry in common"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(first: list[Row], second: list[Row], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        compare_rows(first, second)


MODELS = (
    Model("few images", 12, ((0.5, 0.9, 0.7), (0.3, 0.5, 0.4), (0.2, 0.1, 0.2))),
    Model("middle", 60, ((0.4, 0.95, 0.8), (0.3, 0.6, 0.5), (0.3, 0.05, 0.2))),
    Model("near one", 80, ((0.95, 1.0, 1.0), (0.04, 1.0, 0.2), (0.01, 0.3, 1.0))),
    Model("near zero", 80, ((0.96, 0.0, 0.0), (0.04, 0.7, 0.0))),
    Model("rare images", 100, ((0.99, 1.0, 1.0), (0.01, 1.0, 0.0))),
    Model("rare images among noise", 100, ((0.99, 0.99, 0.99), (0.01, 1.0, 0.0)), draws=21),
    Model("same network, other noise", 40, ((0.3, 0.2, 0.2), (0.3, 0.9, 0.9), (0.4, 1.0, 1.0))),
    Model("same network without noise", 40, ((0.5, 1.0, 1.0), (0.5, 0.0, 0.0)), draws=1),
)
LARGE = Model("large", 600, ((0.15, 1.0, 0.2), (0.15, 0.2, 1.0), (0.3, 0.0, 0.0), (0.4, 1.0, 1.0)), draws=1)
NOISY = Model("many draws", 60, ((0.4, 1.0, 0.1), (0.4, 0.1, 1.0), (0.2, 0.5, 0.5)), draws=25)
REPEATS = 1000


def shares(right: NDArray[np.int64], draws: int) -> NDArray[np.float64]:
    return right / draws


def votes(right: NDArray[np.int64], draws: int) -> NDArray[np.float64]:
    return (right > draws / 2).astype(float)


def ours(first: NDArray[np.float64], second: NDArray[np.float64], draws: int) -> Ends:
    found = mean_difference((first - second).tolist())
    return found.low, found.high


def students(first: NDArray[np.float64], second: NDArray[np.float64], draws: int) -> Ends:
    return mean_difference((first - second).tolist()).student or (-1.0, 1.0)


def as_if_independent(first: NDArray[np.float64], second: NDArray[np.float64], draws: int) -> Ends:
    half = 1.96 * ((first.var(ddof=1) + second.var(ddof=1)) / len(first)) ** 0.5
    mean = float(first.mean() - second.mean())
    return mean - half, mean + half


def as_if_draws_were_images(first: NDArray[np.float64], second: NDArray[np.float64], draws: int) -> Ends:
    difference = first - second
    half = 1.96 * difference.std(ddof=1) / (len(difference) * draws) ** 0.5
    return float(difference.mean() - half), float(difference.mean() + half)


def coverage(interval: Interval, model: Model, *, repeats: int = REPEATS, by_vote: bool = False) -> float:
    """How often an interval from one sample of images and votes holds the true difference."""
    expected = model.true_vote_difference if by_vote else model.true_difference
    values = (votes if by_vote else shares)(model.counts(np.random.default_rng(7), repeats), model.draws)
    ends = np.array([interval(first, second, model.draws) for first, second in values])
    return float(((ends[:, 0] - 1e-9 <= expected) & (expected <= ends[:, 1] + 1e-9)).mean())


SLACK = 4 * (0.95 * 0.05 / REPEATS) ** 0.5  # four standard errors of a share of 0.95


@pytest.mark.parametrize("model", [*MODELS, LARGE], ids=lambda model: model.name)
def test_rows_of_the_model_give_the_interval_whose_coverage_is_measured(model: Model) -> None:
    for first, second in model.counts(np.random.default_rng(3), 2):
        ours_rows, other_rows = (rows_of(right.tolist(), draws=model.draws) for right in (first, second))
        found = attacked(ours_rows, other_rows).difference
        expected = ours(shares(first, model.draws), shares(second, model.draws), model.draws)
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
        if model.draws > 1:
            vote = attacked(ours_rows, other_rows, "majority vote").difference
            expected = ours(votes(first, model.draws), votes(second, model.draws), model.draws)
            assert (vote.low, vote.high) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_interval_covers_the_true_difference(model: Model) -> None:
    assert coverage(ours, model) >= 0.95 - SLACK
    assert coverage(ours, model, by_vote=True) >= 0.95 - SLACK


def test_with_many_images_the_interval_is_no_wider_than_it_must_be() -> None:
    """One that pretends the runs to be independent covers too often: it is too wide to find anything."""
    assert abs(coverage(ours, LARGE) - 0.95) <= SLACK
    assert coverage(as_if_independent, LARGE) > 0.95 + SLACK


def test_wrong_intervals_do_not_pass() -> None:
    assert coverage(as_if_draws_were_images, NOISY) < 0.6
    assert coverage(students, MODELS[4]) < 0.75, "no rare image is seen in 37 % of the samples"
    assert coverage(students, MODELS[5]) < 0.75


def test_rows_are_matched_by_image_not_by_place() -> None:
    shuffled = [row(i, right=i) for i in (3, 0, 2, 1)]
    assert attacked(shuffled, rows_of([0, 1, 2, 3])).difference.value == 0.0
