"""The judge: fresh noise, the worst case chosen without looking at the score, rows as promised."""

import math
import warnings
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import FGSM, L2, PGD, AbstractAttack, Cost, Found, Victim
from rsc_snn.errors import InputError, RangeError, WeakEvaluation
from rsc_snn.evaluation.evaluate import evaluate_batches
from rsc_snn.evaluation.judge import Votes, collect_votes, verify
from rsc_snn.evaluation.plan import Attacks, make_plan
from rsc_snn.evaluation.standing import named
from rsc_snn.evaluation.summary import majority, summarise
from rsc_snn.gradients import Expectation
from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import row_key
from tests.helpers import Linear, Noisy, seeded, small_classifier


def noisy_images(n: int) -> tuple[Tensor, Tensor]:
    labels = torch.randint(0, 4, (n,), generator=seeded(0))
    images = torch.full((n, 1, 4, 4), 0.5)
    images[:, 0, 0, 0] = labels / 8
    return images, labels


@pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")
def test_useless_attacks_do_not_lower_the_accuracy_of_a_noisy_model() -> None:
    """Eight attacks of eps 1e-6 on a model that is right with probability 0.8: the worst case stays 0.8."""
    images, labels = noisy_images(500)
    classifier = rs.wrap(Noisy(0.8)).eval()
    result = rs.evaluate(
        classifier, images, labels, attacks=[FGSM(eps=1e-6)] * 8, num_draws=20, batch_size=500
    )
    tolerance = 5 * math.sqrt(0.8 * 0.2 / (500 * 20))
    assert result.summary.robust is not None
    assert abs(result.summary.robust.value - 0.8) < tolerance
    assert abs(result.summary.clean.value - 0.8) < tolerance
    assert result.summary.robust.low < 0.8 < result.summary.robust.high
    assert len(result.per_attack) == 8
    assert len(result.rows) == 9 * 500


@pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")
def test_scores_use_draws_that_attacks_and_choices_do_not() -> None:
    seen: list[tuple[str, int]] = []
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    original = classifier.logits_over_time

    def spy(images: Tensor, generator: rs.Streams) -> Tensor:
        seen.append((generator.purpose, generator.seed))
        return original(images, generator)

    classifier.logits_over_time = spy  # type: ignore[method-assign, assignment]
    rs.evaluate(
        classifier, torch.rand(4, 1, 8, 8), torch.arange(4), attacks=[FGSM(eps=0.1)], num_draws=3, seed=9
    )
    seen = [(purpose, seed) for purpose, seed in seen if purpose != "probe"]  # memory is measured
    assert {purpose for purpose, _ in seen} == {"attack", "heldout", "score"}
    assert {seed for _, seed in seen} == {9}


def votes(accuracy: list[float], margin: list[float]) -> Votes:
    counts = torch.zeros(len(accuracy), 2, dtype=torch.long)
    return Votes(counts, torch.tensor(accuracy).double(), torch.tensor(margin).double())


def test_the_worst_case_has_lowest_accuracy_then_lowest_margin_then_comes_first() -> None:
    images = torch.zeros(4, 1, 1, 1)
    clean = named("clean", "clean", images, votes([1.0, 0.5, 0.5, 0.5], [3.0, 1.0, 1.0, 1.0]))
    first = named("a", "last", images + 0.1, votes([0.5, 0.6, 0.5, 0.5], [9.0, 0.0, 0.5, 1.0]))
    second = named("b", "best", images + 0.2, votes([0.4, 0.7, 0.5, 0.5], [9.0, 0.0, 0.7, 1.0]))
    rows = torch.arange(4)
    worst = clean.challenged(rows, first).challenged(rows, second)
    assert worst.names == [("b", "best"), ("clean", "clean"), ("a", "last"), ("clean", "clean")]
    assert worst.images.flatten().tolist() == pytest.approx([0.2, 0.0, 0.1, 0.0])
    assert worst.heldout.accuracy.tolist() == pytest.approx([0.4, 0.5, 0.5, 0.5])
    assert worst.heldout.margin.tolist() == [9.0, 1.0, 0.5, 1.0]


def test_a_challenge_may_be_about_some_images_only() -> None:
    clean = named("clean", "clean", torch.zeros(3, 1, 1, 1), votes([1.0, 1.0, 0.0], [1.0, 1.0, -1.0]))
    other = named("a", "last", torch.ones(2, 1, 1, 1), votes([0.0, 0.5], [0.0, 0.0]))
    worst = clean.challenged(torch.tensor([2, 0]), other)
    assert worst.names == [("a", "last"), ("clean", "clean"), ("clean", "clean")]
    assert worst.images.flatten().tolist() == [1.0, 0.0, 0.0]
    assert worst.is_lost().tolist() == [False, False, True]


@dataclass(frozen=True, kw_only=True)
class Cheat(AbstractAttack):
    """Leaves the ball, the range and the numbers."""

    kind: str = "far"

    @property
    def reach(self) -> float:
        return self.eps

    @property
    def cost(self) -> Cost:
        return Cost()

    def search(self, victim: Victim, images: Tensor) -> Found:
        return Found({"far": images + 0.9, "nan": images * math.nan}[self.kind])


def test_verify_projects_and_reports() -> None:
    images = torch.full((4, 1, 1, 1), 0.5)
    candidates = torch.tensor([0.55, 0.9, math.nan, -3.0]).reshape(4, 1, 1, 1)
    found, is_invalid = verify(candidates, images, norm=rs.attacks.Linf(), eps=0.1)
    assert found.flatten().tolist() == pytest.approx([0.55, 0.6, 0.5, 0.4])
    assert is_invalid.tolist() == [False, True, True, True]


@pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")
def test_a_cheating_attack_gains_nothing() -> None:
    classifier = rs.SpikingClassifier(
        Linear(torch.ones(1, 1, 1)), rs.codings.Direct(), 1, mean=(0.45,)
    ).eval()
    images, labels = torch.full((3, 1, 1, 1), 0.5), torch.ones(3, dtype=torch.long)
    result = rs.evaluate(classifier, images, labels, attacks=[Cheat(eps=0.01), Cheat(eps=0.02, kind="nan")])
    assert max(row["linf"] for row in result.rows) <= 0.01 + 1e-6
    assert result.summary.robust is not None
    assert result.summary.robust.value == 1.0


def test_a_deterministic_classifier_gets_one_draw_and_its_known_worst_case() -> None:
    """The score is w.x - 0.2 with x = (0.5, 0.5), w = (1, -1): 0 - ... the corner decides."""
    classifier = rs.SpikingClassifier(Linear(torch.tensor([[[1.0, -1.0]]])), rs.codings.Direct(), 1).eval()
    images = torch.tensor([[0.6, 0.5], [0.9, 0.2]]).reshape(2, 1, 1, 2)
    labels = torch.tensor([1, 1])
    result = rs.evaluate(classifier, images, labels, attacks=[FGSM(eps=0.04), FGSM(eps=0.06)])
    assert {row["num_draws"] for row in result.rows} == {1}
    assert [summary.robust.value for summary in result.per_attack if summary.robust] == [1.0, 0.5]
    assert result.summary.robust is not None
    assert result.summary.robust.value == 0.5
    assert result.summary.clean.value == 1.0
    worst = [row for row in result.rows if row["entry"] == "worst" and row["eps"] == 0.06]
    assert [row["winner"] for row in worst] == ["FGSM", "FGSM"]


ROW_FIELDS = {
    "suite", "budget", "seed", "eps", "norm", "entry", "index", "label", "attack", "gradient", "num_draws",
    "clean_counts", "adversarial_counts", "heldout_counts", "heldout_margin", "linf", "l2", "flags", "note",
    "candidate",
    "batch_size", "draw_chunk", "rows_per_pass", "compiled",
}  # fmt: skip


def test_rows_hold_what_the_record_promises() -> None:
    classifier = small_classifier(rs.codings.Poisson())
    images, labels = torch.rand(5, 1, 8, 8, generator=seeded(0)), torch.arange(5)
    result = rs.evaluate(
        classifier,
        images,
        labels,
        attacks=rs.attacks.paper(eps=8 / 255),
        num_draws=6,
        indices=[7, 3, 50, 2, 9],
    )
    assert len(result.rows) == 15
    for row in result.rows:
        assert row.keys() - {"winner"} == ROW_FIELDS
        for counts in ("clean_counts", "adversarial_counts", "heldout_counts"):
            assert len(row[counts]) == 10
            assert sum(row[counts]) == 6
        assert row["linf"] <= 8 / 255 + 1e-6
    assert [row["index"] for row in result.rows[:5]] == [7, 3, 50, 2, 9]
    assert {row["suite"] for row in result.rows} == {"paper"}
    assert result.rows[0]["attack"] == repr(FGSM(eps=8 / 255))
    assert result.rows[0]["gradient"] == "BPTT()"
    assert [row["attack"] for row in result.rows[10:]] == ["worst"] * 5


def timeless(rows: list[Row]) -> dict[tuple[object, ...], Row]:
    passes = ("batch_size", "draw_chunk", "rows_per_pass")
    kept = [{name: row[name] for name in row if name not in passes} for row in rows]
    return {(row["entry"], row["eps"], row["index"]): row for row in kept}


@pytest.mark.parametrize(
    "coding", [rs.codings.RandomizedSmoothing(variance=0.1), rs.codings.Poisson()], ids=repr
)
def test_rows_do_not_depend_on_batch_size_order_or_company(coding: rs.codings.AbstractCoding) -> None:
    """Exactly in float64; float32 may flip a spike by rounding."""
    classifier = small_classifier(coding).double()
    images = torch.rand(10, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    labels = torch.arange(10)

    def rows(order: list[int], batch_size: int) -> dict[tuple[object, ...], Row]:
        result = rs.evaluate(
            classifier,
            images[order],
            labels[order],
            attacks=[PGD(eps=0.1, step_size=0.02)],
            num_draws=4,
            indices=order,
            batch_size=batch_size,
        )
        return timeless(result.rows)

    whole = rows(list(range(10)), 10)
    assert rows(list(range(10)), 1) == whole
    assert rows(list(range(10)), 7) == whole
    assert rows([9, 0, 4, 1, 2, 3, 5, 6, 7, 8], 4) == whole
    few = rows([4, 9], 2)
    assert few == {key: whole[key] for key in few}


@pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")
def test_rows_do_not_depend_on_the_size_of_passes() -> None:
    """Exactly in float64; passes hold fewer rows than the batch, all, and more."""
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).double()
    images = torch.rand(10, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    attacks: Attacks = [
        PGD(eps=0.1, step_size=0.05, num_steps=2),
        (PGD(eps=0.1, step_size=0.05, num_steps=2), Expectation(num_draws=3)),
    ]
    found, passes = [], []
    classifier.network.register_forward_hook(lambda *given: passes.append(given[2].shape[1]))
    for rows in (64, 7, 1):
        passes.clear()
        result = rs.evaluate(
            classifier,
            images,
            torch.arange(10),
            attacks=attacks,
            num_draws=4,
            batch_size=10,
            rows_per_pass=rows,
        )
        assert {row["rows_per_pass"] for row in result.rows} == {rows}
        found.append((timeless(result.rows), max(passes)))
    assert [rows for rows, _ in found[1:]] == [found[0][0]] * 2
    assert [largest for _, largest in found] == [40, 10, 2], "all draws; a draw; parts of one"


def test_done_rows_are_not_computed_again() -> None:
    classifier = small_classifier(rs.codings.Poisson())
    images, labels = torch.rand(6, 1, 8, 8, generator=seeded(0)), torch.arange(6)
    attacks = [rs.attacks.paper(eps=eps) for eps in (0.02, 0.05)]
    plan = make_plan(attacks, num_draws=2, seed=0, is_random=True, num_pixels=64, batch_size=4)
    rows = [
        row for batch in evaluate_batches(classifier, images, labels, torch.arange(6), plan) for row in batch
    ]
    assert len(rows) == 2 * 3 * 6
    kept = [row for row in rows if row["index"] < 4 or row["eps"] == 0.02]
    done = {row_key(row) for row in kept}
    calls: list[int] = []
    classifier.network.register_forward_hook(lambda *_: calls.append(1))
    fresh = [
        row
        for batch in evaluate_batches(classifier, images, labels, torch.arange(6), plan, done=done)
        for row in batch
    ]
    assert fresh == [row for row in rows if row not in kept]
    full = len(calls)
    list(
        evaluate_batches(
            classifier, images, labels, torch.arange(6), plan, done=done | {row_key(r) for r in fresh}
        )
    )
    assert len(calls) == full


def test_draws_are_the_same_in_every_chunking() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).double()
    images, labels = torch.rand(3, 1, 8, 8, dtype=torch.float64), torch.arange(3)
    found = [
        collect_votes(
            classifier,
            images,
            labels,
            indices=torch.arange(3),
            seed=0,
            purpose="score",
            num_draws=7,
            draw_chunk=chunk,
        )
        for chunk in (1, 2, 7)
    ]
    for other in found[1:]:
        assert torch.equal(other.counts, found[0].counts)
        torch.testing.assert_close(other.margin, found[0].margin)


class Saturated(torch.nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return torch.stack([images.sum((1, 2, 3)) * 0 + 1e4, images.sum((1, 2, 3))], dim=1)


def weaknesses(attack: AbstractAttack, module: torch.nn.Module) -> tuple[list[str], list[str]]:
    """Messages of the warnings, and the flags of the first image."""
    images, labels = torch.rand(3, 1, 2, 2, generator=seeded(0)), torch.zeros(3, dtype=torch.long)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = rs.evaluate(rs.wrap(module).eval(), images, labels, attacks=[attack])
    return [str(w.message) for w in caught if w.category is WeakEvaluation], result.rows[0]["flags"]


@pytest.mark.parametrize("random_start", [False, True])
def test_a_vanished_gradient_is_flagged_and_warned_of_even_if_the_start_was_random(
    random_start: bool,
) -> None:
    messages, flags = weaknesses(PGD(eps=0.05, random_start=random_start), Saturated())
    assert messages[0].startswith("PGD")
    assert "had a zero gradient at every step on 100 % of 3" in messages[0]
    assert flags == (["zero-gradient"] if random_start else ["zero-gradient", "unchanged"])


def test_steps_that_cannot_cross_the_ball_are_flagged_and_warned_of() -> None:
    class Sum(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.stack([-images.sum((1, 2, 3)), images.sum((1, 2, 3))], dim=1)

    messages, flags = weaknesses(PGD(eps=0.1), Sum())
    assert "PGD cannot reach the edge of its ball" in messages[0]
    assert flags == ["short-of-ball"]
    assert weaknesses(PGD(eps=0.07), Sum()) == ([], [])


def test_logits_that_are_not_numbers_are_an_error_not_a_score() -> None:
    class Broken(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1) * math.nan

    with pytest.raises(InputError, match="returned NaN logits"):
        rs.evaluate(rs.wrap(Broken()).eval(), *noisy_images(3), attacks=[FGSM(eps=0.1)])


def test_summaries_are_in_the_order_of_the_list_even_if_strengths_alternate() -> None:
    classifier = rs.SpikingClassifier(
        Linear(torch.ones(1, 1, 1)), rs.codings.Direct(), 1, mean=(0.45,)
    ).eval()
    images, labels = torch.full((1, 1, 1, 1), 0.5), torch.ones(1, dtype=torch.long)
    attacks = [FGSM(eps=0.01), FGSM(eps=0.1), PGD(eps=0.01), PGD(eps=0.06)]
    result = rs.evaluate(classifier, images, labels, attacks=attacks)
    assert [s.robust.value for s in result.per_attack if s.robust] == [1.0, 0.0, 1.0, 0.0]


def test_lists_are_named_by_what_they_hold_and_the_papers_name_is_its_own() -> None:
    def names(attacks: list[AbstractAttack]) -> dict[float, str]:
        plan = make_plan(attacks, num_draws=1, seed=0, is_random=True, num_pixels=64)
        return {entries[0][1].attack.eps: name for name, entries in plan.lists()}

    both = names([FGSM(eps=0.1), PGD(eps=0.1), FGSM(eps=0.2), PGD(eps=0.2)])
    assert both[0.1] == both[0.2], "one list at several strengths has one name"
    assert names([PGD(eps=0.1), FGSM(eps=0.1)])[0.1] == both[0.1], "order does not matter"
    mixed = names([FGSM(eps=0.1), PGD(eps=0.2)])
    swapped = names([PGD(eps=0.1), FGSM(eps=0.2)])
    assert len({both[0.1], mixed[0.1], swapped[0.1]}) == 3, "no two of them share a worst case"
    false = rs.attacks.Suite(name="paper", entries=rs.attacks.paper().entries[:1])
    with pytest.raises(InputError, match="cannot be called 'paper'"):
        make_plan(false, num_draws=1, seed=0, is_random=True, num_pixels=64)


def test_ties_count_as_wrong_in_the_vote() -> None:
    assert majority([2, 2, 0], 0) == 0.0
    assert majority([3, 2, 0], 0) == 1.0
    assert majority([2, 3, 0], 0) == 0.0


def test_the_summary_averages_draws_within_and_images_across() -> None:
    rows: list[Row] = [
        {"label": 0, "clean_counts": [4, 0], "adversarial_counts": [3, 1]},
        {"label": 1, "clean_counts": [1, 3], "adversarial_counts": [2, 2]},
    ]
    summary = summarise(rows)
    assert summary.clean.value == pytest.approx(0.875)
    assert summary.robust is not None
    assert summary.robust.value == pytest.approx(0.625)
    assert summary.vote is not None
    assert summary.vote.value == 0.5
    assert summary.num_images == 2
    assert summary.is_small


def test_both_norms_in_one_list_have_their_own_worst_case() -> None:
    classifier = small_classifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeakEvaluation)
        result = rs.evaluate(
            classifier,
            torch.rand(2, 1, 8, 8),
            torch.arange(2),
            attacks=[FGSM(eps=0.1), (PGD(eps=0.5, norm=L2()), rs.gradients.BPTT())],
        )
    assert [row["norm"] for row in result.rows if row["entry"] == "worst"] == ["linf"] * 2 + ["l2"] * 2


@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused() -> None:
    classifier, images, labels = small_classifier(), torch.rand(2, 1, 8, 8), torch.arange(2)
    attacks = [FGSM(eps=0.1)]
    with pytest.raises(ValueError, match=r"in training mode; call classifier\.eval\(\) first"):
        rs.evaluate(small_classifier().train(), images, labels, attacks=attacks)
    with pytest.raises(InputError, match="at least one attack"):
        rs.evaluate(classifier, images, labels, attacks=[])
    with pytest.raises(InputError, match="must be a list or a suite, got a single attack"):
        rs.evaluate(classifier, images, labels, attacks=attacks[0])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected an attack or a pair"):
        rs.evaluate(classifier, images, labels, attacks=["pgd"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="2 different integers"):
        rs.evaluate(classifier, images, labels, attacks=attacks, indices=[1, 1])
    with pytest.raises(RangeError, match="num_draws must be at least 1"):
        rs.evaluate(classifier, images, labels, attacks=attacks, num_draws=0)
    with pytest.raises(RangeError, match=r"labels must lie in \[0, 10\), got 3 to 12"):
        rs.evaluate(classifier, images, torch.tensor([3, 12]), attacks=attacks)
    with pytest.raises(InputError, match=r"wrap other modules with rs\.wrap"):
        rs.evaluate(torch.nn.Flatten(), images, labels, attacks=attacks)  # type: ignore[arg-type]
