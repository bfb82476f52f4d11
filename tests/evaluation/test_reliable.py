"""The suite "reliable": its list, rows and flags, one winner per image, no attack on lost images."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.attacks import (
    APGD,
    CE,
    DLR,
    L2,
    SAPGD,
    AbstractAttack,
    Cost,
    Entry,
    Found,
    Linf,
    Square,
    Suite,
    Transfer,
    Victim,
    suites,
)
from rsc_snn.codings import randomized_smoothing
from rsc_snn.errors import InputError, UnknownNameError, WeakEvaluation
from rsc_snn.evaluation.plan import Plan, make_plan
from rsc_snn.gradients import BPTT, AdaptiveSharpness, Expectation, StraightThroughClamp, TimeAverage
from rsc_snn.neurons import ReLU
from rsc_snn.rng import normal_like
from rsc_snn.runs.files import Row
from tests.gradients.test_applicability import Closed, ForeignNet
from tests.gradients.toys import NOISY, toy, toy_batch
from tests.helpers import Linear

pytestmark = pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")

NAMES = [
    "APGD-CE",
    "APGD-CE straight-through clamp",
    "APGD-DLR",
    "SA-PGD adaptive sharpness",
    "APGD-CE time average",
    "Square",
    "transfer",
]


def settled(suite: Suite, *, is_random: bool = True) -> Plan:
    return make_plan(suite, num_draws=20, seed=0, is_random=is_random, num_pixels=64)


@pytest.mark.parametrize(
    ("budget", "steps", "draws", "queries"), [("full", 100, 20, 1000), ("quick", 20, 5, 200)]
)
def test_the_list_is_the_one_that_was_designed(budget: str, steps: int, draws: int, queries: int) -> None:
    suite = rs.attacks.reliable(eps=0.1, budget=budget)
    climb = APGD(eps=0.1, norm=Linf(), num_steps=steps, num_restarts=1, loss=CE())
    expected: list[tuple[AbstractAttack, object]] = [
        (climb, BPTT()),
        (climb, StraightThroughClamp(of=BPTT())),
        (replace(climb, loss=DLR()), BPTT()),
        (SAPGD(eps=0.1, norm=Linf(), num_steps=steps, num_restarts=1, loss=CE()), AdaptiveSharpness()),
        (climb, TimeAverage()),
        (Square(eps=0.1, norm=Linf(), num_steps=queries, num_restarts=1), BPTT()),
        (Transfer(eps=0.1, norm=Linf(), sources=(), of=climb), BPTT()),
    ]
    assert [entry.name for entry in suite.entries] == NAMES
    for entry, (attack, path) in zip(suite.entries, expected, strict=True):
        assert entry.attack == attack
        assert isinstance(entry.gradient, Expectation)
        assert (entry.gradient.of, entry.gradient.num_draws, entry.gradient.loss) == (
            path,
            draws,
            "mean_loss",
        )
    assert (suite.name, suite.budget, suite.scores_winner_only) == ("reliable", budget, True)


def test_a_budget_is_full_or_quick() -> None:
    with pytest.raises(UnknownNameError, match="unknown budget 'quik'; did you mean 'quick'"):
        rs.attacks.reliable(budget="quik")


def _others() -> Iterator[Suite]:
    ours = rs.attacks.reliable(eps=0.1)
    first, rest = ours.entries[0], ours.entries[1:]
    yield replace(ours, entries=())
    yield replace(ours, entries=rest)
    yield replace(ours, entries=(*rest, first))
    yield replace(ours, entries=(replace(first, attack=APGD(eps=0.1, num_steps=99)), *rest))
    yield replace(ours, entries=(replace(first, attack=APGD(eps=0.01)), *rest))
    yield replace(ours, entries=(replace(first, gradient=Expectation(num_draws=19)), *rest))
    yield replace(ours, entries=(replace(first, name="APGD"), *rest))
    yield replace(ours, budget="quick")
    yield replace(rs.attacks.reliable(eps=0.1, budget="quick"), budget="full")
    yield replace(ours, scores_winner_only=False)


@pytest.mark.parametrize("suite", list(_others()))
def test_another_list_cannot_have_the_name(suite: Suite) -> None:
    with pytest.raises(InputError, match="cannot be called 'reliable'; give it another name"):
        settled(suite)
    assert settled(
        replace(suite, name="mine", entries=suite.entries or (Entry(attack=APGD(), gradient=BPTT()),))
    )


def test_norm_sources_and_width_are_free() -> None:
    source = toy()
    suite = rs.attacks.reliable(0.2, (source,), norm=L2(), time_average=TimeAverage(width=0.35))
    assert settled(suite).suite == "reliable"
    assert {entry.attack.norm for entry in suite.entries} == {L2()}
    assert suite.entries[6].attack.of.norm == L2()  # type: ignore[attr-defined]


def test_a_deterministic_network_gets_one_draw_but_a_random_source_keeps_all() -> None:
    plan = settled(rs.attacks.reliable(eps=0.1, sources=(toy(NOISY),)), is_random=False)
    assert [type(entry.gradient) for _, entry in plan.entries] == [
        BPTT,
        StraightThroughClamp,
        BPTT,
        AdaptiveSharpness,
        TimeAverage,
        BPTT,
        Expectation,
    ]
    assert plan.num_draws == 1
    kept = settled(rs.attacks.reliable(eps=0.1))
    assert all(isinstance(entry.gradient, Expectation) for _, entry in kept.entries)
    assert kept.num_draws == 20


def by_entry(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["entry"]].append(row)
    return found


def judged(
    classifier: rs.SpikingClassifier | nn.Module, suite: Suite, *, num_draws: int = 20
) -> dict[str, list[Row]]:
    images, labels = toy_batch()
    assert isinstance(classifier, rs.classifier.AbstractClassifier)
    return by_entry(rs.evaluate(classifier, images, labels, attacks=suite, num_draws=num_draws).rows)


def flags_of(rows: list[Row]) -> set[str]:
    return {flag for row in rows for flag in row["flags"]}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lists in a few steps, so that what does not depend on steps is seen quickly."""
    monkeypatch.setattr(
        suites, "_BUDGETS", {"full": suites._Budget(2, 3, 4), "quick": suites._Budget(1, 2, 3)}
    )


UNRELIABLE = {"quick-budget", "few-draws", "surrogate-out-of-reach"}


@pytest.mark.usefixtures("short")
def test_entries_are_ranked_and_only_the_winner_is_scored() -> None:
    with pytest.warns(
        WeakEvaluation, match="suite reliable is not reliable: the budget is quick; fewer than"
    ):
        rows = judged(toy(NOISY), rs.attacks.reliable(eps=0.1, budget="quick"), num_draws=4)
    assert list(rows) == [*NAMES, "worst"]
    assert [len(found) for found in rows.values()] == [4] * 8
    for name in NAMES[:-1]:
        for row in rows[name]:
            assert row["adversarial_counts"] is None
            assert sum(row["heldout_counts"]) == 4
            assert row["budget"] == "quick"
            assert not UNRELIABLE & set(row["flags"])
    for row in rows["transfer"]:
        absent = ("adversarial_counts", "heldout_counts", "heldout_margin", "linf", "l2", "candidate")
        assert [row[name] for name in absent] == [None] * 6
        assert (row["flags"], row["note"]) == (["not-run"], "no source was given")
        assert sum(row["clean_counts"]) == 4
    for row in rows["worst"]:
        assert sum(row["adversarial_counts"]) == sum(row["heldout_counts"]) == 4
        assert row["winner"] in (*NAMES, "clean")
        assert UNRELIABLE & set(row["flags"]) == {"quick-budget", "few-draws"}


@pytest.mark.usefixtures("short")
def test_what_cannot_apply_says_so_and_keeps_the_label() -> None:
    """Direct coding has no clamp, a ReLU network no spiking neuron: 20 draws of full budget are reliable."""
    spiking = judged(toy(), rs.attacks.reliable(eps=0.01))
    assert {row["note"] for row in spiking[NAMES[1]]} == {"no clamp in the coding"}
    twin = judged(toy(neuron=ReLU()), rs.attacks.reliable(eps=0.01))
    assert {row["note"] for name in NAMES[3:5] for row in twin[name]} == {"no spiking neuron"}
    absent = [twin[name] for name in (NAMES[1], NAMES[3], NAMES[4])]
    for row in [*spiking[NAMES[1]], *(row for found in absent for row in found)]:
        assert row["flags"] == ["not-applicable"]
        assert row["heldout_counts"] is row["adversarial_counts"] is None
    for rows in (spiking, twin):
        assert not UNRELIABLE & flags_of(rows["worst"])
        assert {row["num_draws"] for row in rows["worst"]} == {1}, "one draw is not few for it"


@pytest.mark.usefixtures("short")
def test_a_surrogate_out_of_reach_removes_the_label_and_a_plain_network_does_not() -> None:
    suite = rs.attacks.reliable(eps=0.01)
    foreign = rs.wrap(ForeignNet(), coding=rs.codings.Direct(), num_steps=3).double().eval()
    for classifier in (toy(neuron=Closed()), foreign):
        with pytest.warns(WeakEvaluation, match="cannot reach the neurons of a foreign module"):
            rows = judged(classifier, suite)
        assert flags_of(rows["worst"]) >= {"surrogate-out-of-reach"}
        assert all("surrogate-out-of-reach" in row["flags"] for row in rows["worst"])
        assert {flag for name in NAMES[3:5] for flag in flags_of(rows[name])} == {"not-applicable"}
    ann = rs.wrap(nn.Sequential(nn.Flatten(), nn.Linear(2, 3))).double().eval()
    assert not UNRELIABLE & flags_of(judged(ann, suite)["worst"])


@pytest.mark.usefixtures("short")
def test_a_full_budget_with_twenty_draws_on_a_random_network_is_reliable() -> None:
    """A linear network with noisy input: nothing but the list's own reasons could remove the label."""
    classifier = rs.SpikingClassifier(Linear(torch.ones(1, 1, 1)), rs.codings.RandomizedSmoothing(), 1).eval()
    images, labels, full = torch.full((1, 1, 1, 1), 0.5), torch.ones(1).long(), rs.attacks.reliable(eps=0.01)
    for num_draws, expected in ((20, set()), (19, {"few-draws"})):
        result = rs.evaluate(classifier, images, labels, attacks=full, num_draws=num_draws)
        assert UNRELIABLE & flags_of(by_entry(result.rows)["worst"]) == expected


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[int, list[bytes]]]:
    """All noise that the coding drew, by purpose and image."""
    seen: dict[str, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    original = normal_like

    def spy(image: Tensor, num_steps: int, generator: rs.Streams) -> Tensor:
        numbers_SBCHW = original(image, num_steps, generator)
        for index, numbers in zip(generator.indices.tolist(), numbers_SBCHW.unbind(1), strict=True):
            seen[generator.purpose][index].append(numbers.contiguous().numpy().tobytes())
        return numbers_SBCHW

    monkeypatch.setattr(randomized_smoothing, "normal_like", spy)
    return seen


@pytest.mark.usefixtures("short")
def test_a_winner_is_scored_once_on_draws_that_nothing_else_has_seen(
    noise: dict[str, dict[int, list[bytes]]],
) -> None:
    images, _ = toy_batch()
    labels = toy()(images).argmax(1)  # so that no image is lost
    suite = rs.attacks.reliable(eps=0.001, budget="quick")
    rs.evaluate(toy(NOISY), images, labels, attacks=suite, num_draws=20)
    assert set(noise) == {"probe", "attack", "heldout", "score"}
    for index in range(4):
        score = noise["score"][index]
        assert len(score) == 40, "the clean image, and one winner"
        assert score[:20] == score[20:]
        draws = {purpose: set(seen[index]) for purpose, seen in noise.items()}
        assert len(draws["score"]) == len(draws["heldout"]) == 20
        assert len(draws["attack"]) >= 4, "two draws, the same for all queries, and two of a gradient"
        assert not draws["score"] & (draws["heldout"] | draws["attack"])
        assert not draws["heldout"] & draws["attack"]


@pytest.fixture
def attacked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Indices of the images of each attack, in order."""
    calls: list[list[int]] = []
    original = AbstractAttack.attempt

    def spy(self: AbstractAttack, classifier: nn.Module, *args: Tensor, **options: object) -> object:
        streams = options["generator"]
        assert isinstance(streams, rs.Streams)
        calls.append(streams.indices.tolist())
        return original(self, classifier, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(AbstractAttack, "attempt", spy)
    return calls


def threshold(coding: rs.codings.AbstractCoding) -> rs.SpikingClassifier:
    """Class 1 where the pixel is above 0.5."""
    return rs.SpikingClassifier(Linear(torch.ones(1, 1, 1)), coding, 1, mean=(0.5,)).double().eval()


# far on the wrong side, within reach of eps = 0.1, out of reach
PIXELS = torch.tensor([0.0, 0.55, 1.0], dtype=torch.float64).reshape(3, 1, 1, 1)
ONES = torch.ones(3, dtype=torch.long)


@pytest.mark.usefixtures("short")
def test_what_is_lost_is_not_attacked_again(attacked: list[list[int]]) -> None:
    """One wrong answer is enough for a deterministic network."""
    suite = rs.attacks.reliable(eps=0.1, budget="quick")
    result = rs.evaluate(threshold(rs.codings.Direct()), PIXELS, ONES, attacks=suite, indices=[7, 8, 9])
    assert attacked == [[8, 9], [9], [9]], "APGD-CE, APGD-DLR and Square; nothing else applies"
    rows = by_entry(result.rows)
    assert [row["flags"] for row in rows["APGD-CE"]] == [["lost"], [], []]
    assert [row["flags"] for row in rows["Square"]] == [["lost"], ["lost"], []]
    assert rows["Square"][1]["heldout_counts"] is None
    assert [row["winner"] for row in rows["worst"]][:2] == ["clean", "APGD-CE"]
    assert [row["adversarial_counts"] for row in rows["worst"]] == [[1, 0], [1, 0], [0, 1]]
    assert result.summary.clean.value == pytest.approx(2 / 3)
    assert result.summary.robust is not None
    assert result.summary.robust.value == pytest.approx(1 / 3)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("num_draws", [19, 20])
def test_a_random_network_loses_an_image_by_twenty_wrong_draws_and_not_by_fewer(
    attacked: list[list[int]], noise: dict[str, dict[int, list[bytes]]], num_draws: int
) -> None:
    coding = rs.codings.RandomizedSmoothing(variance=1e-4)
    suite = rs.attacks.reliable(eps=0.1, budget="quick")
    result = rs.evaluate(threshold(coding), PIXELS, ONES, attacks=suite, num_draws=num_draws)
    assert [row["heldout_counts"] for row in by_entry(result.rows)["worst"]] == [
        [num_draws, 0],
        [num_draws, 0],
        [0, num_draws],
    ]
    if num_draws < 20:
        assert attacked == [[0, 1, 2]] * 4
    else:
        assert attacked == [[1, 2], [2], [2], [2]]
        assert 0 not in noise["attack"]


@dataclass(frozen=True, kw_only=True)
class Offers(AbstractAttack):
    """Answers with the image and offers the worst point under one name, and a better one under another."""

    point: str = "start"

    @property
    def reach(self) -> float:
        return self.eps

    @property
    def cost(self) -> Cost:
        return Cost()

    def search(self, victim: Victim, images: Tensor) -> Found:
        worst, better = images - self.eps, images + self.eps
        if self.point == "answer":
            return Found(worst, (("start", better),))
        return Found(images, (("first", better), (self.point, worst), ("end", images)))


@pytest.mark.parametrize("point", ["answer", "start", "last", "best"])
def test_whatever_an_attack_offers_can_win(point: str) -> None:
    entry = Entry(attack=Offers(eps=0.1, point=point), gradient=BPTT(), name="offers")
    suite = Suite(name="mine", entries=(entry,), scores_winner_only=True)
    result = rs.evaluate(threshold(rs.codings.Direct()), PIXELS[1:], ONES[1:], attacks=suite)
    rows = by_entry(result.rows)
    assert [(row["winner"], row["candidate"]) for row in rows["worst"]] == [("offers", point)] * 2
    assert [row["candidate"] for row in rows["offers"]] == [point] * 2
    assert [row["adversarial_counts"] for row in rows["worst"]] == [[1, 0], [0, 1]]
    assert [row["linf"] for row in rows["worst"]] == pytest.approx([0.1, 0.1])


@dataclass(frozen=True, kw_only=True)
class Helps(AbstractAttack):
    """Moves images of class 1 to the safe side."""

    @property
    def reach(self) -> float:
        return self.eps

    @property
    def cost(self) -> Cost:
        return Cost()

    def search(self, victim: Victim, images: Tensor) -> Found:
        return Found(images + self.eps)


def test_the_clean_image_is_a_candidate_too() -> None:
    entry = Entry(attack=Helps(eps=0.1), gradient=BPTT(), name="helps")
    suite = Suite(name="mine", entries=(entry,), scores_winner_only=True)
    pixels = torch.tensor([0.45, 0.55], dtype=torch.float64).reshape(2, 1, 1, 1)
    result = rs.evaluate(threshold(rs.codings.Direct()), pixels, ONES[:2], attacks=suite)
    worst = by_entry(result.rows)["worst"]
    assert [row["winner"] for row in worst] == ["clean", "clean"]
    assert [row["candidate"] for row in worst] == ["clean", "clean"]
    assert [row["adversarial_counts"] for row in worst] == [[1, 0], [0, 1]]
    assert by_entry(result.rows)["helps"][0]["flags"] == ["lost"]
