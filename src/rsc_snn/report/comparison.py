"""Two runs side by side as a table."""

from collections.abc import Sequence

from rsc_snn.evaluation.comparison import Compared, Comparison
from rsc_snn.evaluation.differences import MeanDifference
from rsc_snn.evaluation.summary import FEW_IMAGES, WORST, why_unreliable
from rsc_snn.report.tables import FULL, MISSING, Table, percent, strength, worst_name

_COLUMNS = (
    "measure",
    "norm",
    "eps",
    "images",
    "A %",
    "B %",
    "A - B, points",
    "only A",
    "only B",
    "McNemar p",
)
EXTENDED = "*"


def comparison_table(first: str, second: str, compared: Compared) -> Table:
    """Return a line per measure, entry and eps; A is ``first``, B is ``second``."""
    lines = [_line(comparison) for comparison in compared.comparisons]
    return Table(f"A: {first}, B: {second}", _COLUMNS, lines, [*_notes(compared), *compared.notes])


def signed_difference(found: MeanDifference) -> str:
    """A difference in points with its interval, marked where that was extended: +60.0 [+24.5, +95.5]*."""
    mark = EXTENDED if found.is_extended else ""
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]{mark}"


def _line(comparison: Comparison) -> list[str]:
    row, found = comparison.pair.first[0], comparison.difference
    where = (MISSING, MISSING) if comparison.is_clean else (row["norm"], strength(row["eps"], row["norm"]))
    counts = [comparison.only_first, comparison.only_second]
    return [
        f"{_subject(comparison)}, {comparison.measure}",
        *where,
        str(len(comparison.pair.first)),
        percent(comparison.first),
        percent(comparison.second),
        signed_difference(found),
        *(MISSING if count is None else str(count) for count in counts),
        MISSING if comparison.chance is None else f"{comparison.chance:.3g}",
    ]


def _subject(comparison: Comparison) -> str:
    if comparison.is_clean:
        return "clean"
    row, is_worst = comparison.pair.first[0], comparison.pair.first[0]["entry"] == WORST
    doubted = comparison.pair.second if why_unreliable(comparison.pair.second) else comparison.pair.first
    name = worst_name(doubted) if is_worst else row["entry"]
    origin = row["suite"] if row["budget"] == FULL else f"{row['suite']} {row['budget']}"
    return f"{name} ({origin})"


def _notes(compared: Compared) -> list[str]:
    pairs = [comparison.pair for comparison in compared.comparisons]
    notes = [
        "Intervals: 95 %, over images that both runs have; of A - B by Student's t. They cover the choice of "
        "test images, not another training."
    ]
    if any(comparison.difference.is_extended for comparison in compared.comparisons):
        notes.append(
            f"{EXTENDED} Few images, or few on which the runs differ: the interval reaches further than "
            "Student's, as far as if two more images spoke for A alone, and two for B alone."
        )
    if any(comparison.chance is not None for comparison in compared.comparisons):
        notes.append("McNemar p: exact and two-sided, from the images that one run alone has right.")
    if min(len(pair.first) for pair in pairs) < FEW_IMAGES:
        notes.append(f"Fewer than {FEW_IMAGES} images: a rough guide only.")
    draws = {pair.draws for pair in pairs if pair.draws[0] != pair.draws[1]}
    other_vote = "; the vote over more draws is another classifier"
    notes += [
        f"Scoring draws per image: {a} in A, {b} in B{other_vote if min(a, b) > 1 else ''}."
        for a, b in sorted(draws)
    ]
    seeds = {pair.seeds for pair in pairs if pair.seeds[0] != pair.seeds[1]}
    notes += [f"Seeds of the noise: {a} in A, {b} in B." for a, b in sorted(seeds)]
    return notes + _doubts(compared.comparisons)


def _doubts(comparisons: Sequence[Comparison]) -> list[str]:
    """Why a worst case is not reliable."""
    return list(
        dict.fromkeys(
            f"{name}, worst case: {reason}."
            for comparison in comparisons
            if not comparison.is_clean
            for name, rows in (("A", comparison.pair.first), ("B", comparison.pair.second))
            for reason in why_unreliable(rows)
        )
    )
