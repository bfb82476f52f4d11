"""The order of candidates: the condition first, then the number; failures and those left behind last."""

import pytest

from rsc_snn.errors import RangeError
from rsc_snn.evaluation.aims import Robust, Score, TradeOff, ranked
from rsc_snn.evaluation.intervals import wilson
from rsc_snn.evaluation.summary import paper_qte


def score(label: str, clean: float, robust: float, *, stage: int = 1) -> Score:
    """Whose QTE is the mean of both, between 0 and 8/255."""
    found = [wilson(value, 100) for value in (clean, robust, (clean + robust) / 2)]
    return Score(label, stage, *found)


FAILED = Score("failed", 1, None, None, None)
SCORES = [score("robust", 0.5, 0.4), FAILED, score("balanced", 0.8, 0.3), score("accurate", 0.9, 0.1)]


@pytest.mark.parametrize(
    ("aim", "order"),
    [
        (Robust(), ["robust", "balanced", "accurate", "failed"]),
        (Robust(clean_at_least=0.7), ["balanced", "accurate", "robust", "failed"]),
        (Robust(clean_at_least=0.95), ["accurate", "balanced", "robust", "failed"]),
        (TradeOff(), ["balanced", "accurate", "robust", "failed"]),
    ],
)
def test_candidates_that_fulfil_the_condition_come_first(aim: Robust | TradeOff, order: list[str]) -> None:
    scores = [score("robust", 0.5, 0.4), FAILED, score("balanced", 0.8, 0.3), score("accurate", 0.9, 0.12)]
    assert [found.label for found in ranked(aim, scores)] == order
    assert [found.label for found in ranked(aim, scores[::-1])] == order


def test_who_came_further_stands_before_who_was_left_behind() -> None:
    further = score("further", 0.2, 0.1, stage=2)
    assert ranked(Robust(), [*SCORES, further])[0] == further


def test_equal_candidates_keep_their_order() -> None:
    alike = [score(label, 0.6, 0.3) for label in "cab"]
    assert [found.label for found in ranked(Robust(), alike)] == ["c", "a", "b"]


def test_shares_of_images_add_up_to_the_number() -> None:
    images = [((3, 1), (1, 3), 0), ((4, 0), (2, 2), 0), ((2, 2), (4, 0), 1)]
    rows = [
        {
            "eps": 8 / 255,
            "label": label,
            "num_draws": 4,
            "clean_counts": clean,
            "adversarial_counts": attacked,
        }
        for clean, attacked, label in images
    ]
    robust = [Robust().share(row) for row in rows]
    assert robust == [0.25, 0.5, 0.0]
    assert Robust().in_units(0.25, 8 / 255) == 25
    both = [TradeOff().share(row) for row in rows]
    assert both == [0.5, 0.75, 0.25]
    assert TradeOff().in_units(0.5, 8 / 255) == pytest.approx(4.0)
    qte = paper_qte(rows)
    assert qte is not None
    assert qte.value == pytest.approx(TradeOff().in_units(sum(both) / 3, 8 / 255))


def test_only_candidates_that_fulfil_the_condition_are_admitted() -> None:
    assert Robust(clean_at_least=0.8).admits(score("a", 0.8, 0.1))
    assert not Robust(clean_at_least=0.8).admits(score("a", 0.79, 0.7))
    assert not Robust().admits(FAILED)
    assert not TradeOff().admits(FAILED)
    with pytest.raises(RangeError, match="clean_at_least must lie in"):
        Robust(clean_at_least=80)
