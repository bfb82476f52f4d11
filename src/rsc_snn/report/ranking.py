"""The candidates of a search in order. Needs no torch."""

from collections.abc import Mapping, Sequence

from rsc_snn.evaluation.aims import AbstractAim, Score
from rsc_snn.evaluation.differences import MeanDifference
from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.report.comparison import EXTENDED
from rsc_snn.report.reproduction.paired import EXTENDED_NOTE
from rsc_snn.report.tables import MISSING, Table, number, percent, strength
from rsc_snn.runs.files import Row

_BEFORE = ("candidate", "rank", "stage", "epochs", "clean %", "robust %", "QTE")
_AFTER = (
    "training, min",
    "evaluation, min",
    "images trained",
    "device",
)


def ranking_table(
    rows: Sequence[Row], aim: AbstractAim, *, num_measured: int, gaps: Mapping[str, MeanDifference]
) -> Table:
    """Return a line per candidate.

    Args:
        rows: Of search.jsonl, the last of each candidate, from best to worst.
        aim: What was searched for.
        num_measured: Networks that were measured on these images in the folder, in this call and before.
        gaps: How far others stand behind the first, by label, on the same images.
    """
    scores = [Score.of(row) for row in rows]
    last = max((score.stage for score in scores), default=1)
    lines = [
        [
            row["candidate"],
            str(rank) if score.stage == last and aim.admits(score) else MISSING,
            str(row["stage"]),
            str(row["epochs"]),
            *(["failed"] if score.clean is None else [percent(score.clean)]),
            percent(score.robust),
            number(score.qte),
            _gap_cell(gaps.get(row["candidate"]), aim, row["eps"]),
            f"{row['training_minutes']:.1f}",
            f"{row['evaluation_minutes']:.1f}",
            f"{row['images_trained']:,}",
            row["device"] or MISSING,
        ]
        for rank, (row, score) in enumerate(zip(rows, scores, strict=True), start=1)
    ]
    columns = (*_BEFORE, f"first minus it, {aim.unit}", *_AFTER)
    return Table(f"Ranking by {aim.words}", columns, lines, _notes(rows, scores, aim, num_measured, gaps))


def winner_of(rows: Sequence[Row], aim: AbstractAim) -> Row | None:
    """Return the row of the best candidate; None where none fulfils the aim."""
    return rows[0] if rows and aim.admits(Score.of(rows[0])) else None


def _gap_cell(gap: MeanDifference | None, aim: AbstractAim, eps: float) -> str:
    if gap is None:
        return MISSING
    value, low, high = (aim.in_units(share, eps) for share in (gap.value, gap.low, gap.high))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]{EXTENDED if gap.is_extended else ''}"


def _notes(
    rows: Sequence[Row],
    scores: Sequence[Score],
    aim: AbstractAim,
    num_measured: int,
    gaps: Mapping[str, MeanDifference],
) -> list[str]:
    notes = _about_images(rows)
    notes += _about_winner(rows, aim, num_measured)
    notes += _about_gaps(gaps)
    last = max((score.stage for score in scores), default=1)
    if last > 1:
        notes.append(
            "Stages: every candidate is trained briefly; after each stage the better half is trained anew, "
            "for longer. Numbers of different stages are of different trainings and are not compared."
        )
    doubts = {reason for row in rows for reason in row["unreliable"] or ()}
    notes += [f"Worst case: {reason}." for reason in sorted(doubts)]
    notes += [f"{row['candidate']} failed: {row['reason']}." for row in rows if row["reason"] is not None]
    return notes


def _about_images(rows: Sequence[Row]) -> list[str]:
    done = [row for row in rows if row["num_images"] is not None]
    if not done:
        return []
    row, numbers = done[0], sorted({row["num_images"] for row in done})
    shown = " or ".join(map(str, numbers))
    budget = "" if row["suite"] == "paper" else f" {row['budget']}"
    notes = [
        f"Measured on {shown} validation images, which training kept back; no test image was opened. Suite "
        f"{row['suite']}{budget}, l_inf, eps {strength(row['eps'], 'linf')}, the worst of its attacks; "
        "accuracy of a single draw. Intervals: 95 %, over images; they do not cover another training."
    ]
    if numbers[0] < FEW_IMAGES:
        notes.append(f"Fewer than {FEW_IMAGES} images: a rough guide only.")
    if len(numbers) > 1:
        notes.append("Not all candidates were measured on the same images: their order is not to be trusted.")
    return notes


def _about_winner(rows: Sequence[Row], aim: AbstractAim, num_measured: int) -> list[str]:
    row = winner_of(rows, aim)
    if row is None:
        return ["No candidate fulfils the condition: nothing is ranked."]
    return [
        f"The number of the first, {row['candidate']}, is optimistic: it was chosen as the best of "
        f"{max(num_measured, 1)} networks that were measured on these images. It is not a result: measure it "
        "again on the test split, once."
    ]


def _about_gaps(gaps: Mapping[str, MeanDifference]) -> list[str]:
    if not gaps:
        return []
    close = [label for label, gap in gaps.items() if gap.low <= 0 <= gap.high]
    notes = [
        "First minus it: over the same images, paired, each interval taken alone. It is too large on "
        "average, since the first was chosen for being first, and holds the luck of one training of each."
    ]
    if close:
        notes.append(f"Not told apart from the first on these images: {'; '.join(close)}.")
    if any(gap.is_extended for gap in gaps.values()):
        notes.append(EXTENDED_NOTE)
    return notes
