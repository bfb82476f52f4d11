"""Two runs on the same images, measure by measure: from rows to differences. Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rsc_snn.errors import InputError
from rsc_snn.evaluation.differences import MeanDifference, mean_difference, sign_test
from rsc_snn.evaluation.intervals import Estimate, estimate
from rsc_snn.evaluation.matching import Pair, matching
from rsc_snn.evaluation.summary import majority, single_draw
from rsc_snn.runs.files import Row

CLEAN, ATTACKED = "clean_counts", "adversarial_counts"
_MEASURES: Mapping[str, Callable[[Sequence[int], int], float]] = {
    "single draw": single_draw,
    "majority vote": majority,
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure of two runs on the same images.

    Attributes:
        measure: "single draw" or "majority vote".
        pair: The rows it comes from.
        is_clean: Whether it is about the clean images; else about those of the pair's entry.
        first: Accuracy of the first run on these images, with Wilson's interval.
        second: That of the second.
        difference: First - second.
        only_first: Images that the first run alone has right; None unless every outcome is 0 or 1.
        only_second: Images that the second run alone has right; None likewise.
        chance: McNemar's exact two-sided p; None likewise.
    """

    measure: str
    pair: Pair
    is_clean: bool
    first: Estimate
    second: Estimate
    difference: MeanDifference
    only_first: int | None
    only_second: int | None
    chance: float | None


@dataclass(frozen=True)
class Compared:
    """Everything that two runs have in common.

    Attributes:
        comparisons: Clean images first, then entry by entry in the order of the first run.
        notes: What a reader must know: what was left out, and why.
    """

    comparisons: list[Comparison]
    notes: list[str]


def compare_rows(first: Sequence[Row], second: Sequence[Row]) -> Compared:
    """Compare two runs on the images that both have rows of, entry by entry.

    Rows are matched by suite, budget, norm, eps and entry, and by the image's index; labels must agree. Seeds
    of the noise and the number of draws may differ: the accuracy of a single draw that they measure is the
    same (that of the vote is not, which the table says). The clean accuracy comes from the entry with the
    most images in common.

    Args:
        first: Rows of attacks.jsonl, checked.
        second: Rows of another run.

    Raises:
        InputError: no rows, different test sets, or no entry and image in common.
    """
    found = matching(first, second)
    if not found.pairs:
        raise InputError("; ".join(["the runs have no scored entry in common", *found.notes]))
    largest = max(found.pairs, key=lambda pair: len(pair.first))
    comparisons = _measured(largest, CLEAN)
    for pair in found.pairs:
        comparisons += _measured(pair, ATTACKED)
    return Compared(comparisons, found.notes)


def _measured(pair: Pair, counts: str) -> list[Comparison]:
    """Both measures; the majority of a single draw is that draw, and is left out."""
    is_random = max(pair.draws) > 1
    names = ["single draw", "majority vote"] if is_random else ["single draw"]
    return [_compare(pair, counts, name) for name in names]


def _compare(pair: Pair, counts: str, measure: str) -> Comparison:
    score = _MEASURES[measure]
    values = [[score(row[counts], row["label"]) for row in rows] for rows in (pair.first, pair.second)]
    differences = [a - b for a, b in zip(*values, strict=True)]
    is_binary = all(value in (0.0, 1.0) for part in values for value in part)
    up, down = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    return Comparison(
        measure=measure,
        pair=pair,
        is_clean=counts == CLEAN,
        first=estimate(values[0]),
        second=estimate(values[1]),
        difference=mean_difference(differences),
        only_first=up if is_binary else None,
        only_second=down if is_binary else None,
        chance=sign_test(up, down) if is_binary else None,
    )
