"""Whether RSC is better than other noise at equal clean accuracy. Needs no torch."""

from collections.abc import Collection, Sequence

import numpy as np

from rsc_snn.evaluation.intervals import wilson
from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.report.comparison import EXTENDED
from rsc_snn.report.reproduction.cells import NO_COMMON, condition_text, marked_method
from rsc_snn.report.reproduction.compared import UNSCORED
from rsc_snn.report.reproduction.differences import num_trainings, training_words
from rsc_snn.report.reproduction.equal_clean import RESAMPLES, Height, Outside, height_above
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST
from rsc_snn.report.reproduction.paired import FEW_NOTE, Shared, shared
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.tables import MISSING, Table, percent
from rsc_snn.runs.reproduction import Line

CURVE = "RSC"
ATTACK = "PGD"
_COLUMNS = (
    "arm",
    "clean",
    ATTACK,
    f"{ATTACK} of {CURVE} at that clean accuracy",
    f"{ATTACK} minus that of {CURVE}",
    "images",
)


def tradeoff_table(evidence: Evidence, name: str, lines: Sequence[Line]) -> Table | None:
    """Return a line per arm that is not RSC: its accuracy under PGD minus that of RSC's curve.

    Args:
        evidence: The rows.
        name: Of the place.
        lines: RSC over its variance, and what is set beside it.

    Returns:
        None where there is no arm.
    """
    arms = [(line, evidence.sample(line.numbers.get(ATTACK, ()))) for line in distinct(lines)]
    points = [(line, sample) for line, sample in arms if line.method == CURVE]
    used = [(line, sample) for line, sample in points if sample.measure(ROBUST) is not None]
    rows, sizes, is_extended = [], [], False
    for line, sample in arms:
        if line.method == CURVE:
            continue
        cells, size, is_wide = _compared([found for _, found in used], sample)
        rows.append([marked_method(line), *cells])
        sizes += [size] if size else []
        is_extended |= is_wide
    if not rows:
        return None
    notes = [_note({num_trainings([sample]) for _, sample in arms})]
    missing = [f"{condition_text(line)}: {sample.gap}" for line, sample in points if not sample.seeds]
    partial = [f"{condition_text(line)}: {sample.note}" for line, sample in used if sample.note]
    if missing or partial:
        made = f"The curve is made of {len(used)} of {len(points)} lines of {CURVE}"
        notes.append(f"{made} ({'; '.join([*missing, *partial])}).")
    notes += [_EXTENDED_NOTE] if is_extended else []
    notes += [FEW_NOTE] if sizes and min(sizes) < FEW_IMAGES else []
    return Table(f"{name}: accuracy under {ATTACK} minus {CURVE}'s", _COLUMNS, rows, notes)


_EXTENDED_NOTE = (
    f"{EXTENDED} Few images, or few on which the two differ: the interval reaches at least as far as if two "
    "more images were right in the arm alone, and two on the curve alone."
)


def _note(trainings: Collection[int]) -> str:
    return (
        f"{CURVE} over its variance makes a curve of clean accuracy and accuracy under {ATTACK}: its points, "
        "sorted by clean accuracy and joined by straight lines. Each line of the table is over the images "
        "that it shares with all of the curve. Percent of a single noise draw; in brackets 95 % intervals: "
        f"Wilson's of accuracies, of differences the bootstrap's over images ({RESAMPLES:,} resamples, the "
        "same images for all networks), or that of the linear part where it reaches further. A dash: where "
        "the clean accuracy may be one that the curve does not have, nothing is compared. Near the ends of "
        "the curve few intervals are shown, and those cover less than 95 %: in "
        "simulations about 80 %, and less still at the very end of a steep curve. "
        f"{training_words(trainings)} The curve holds that of each of its points."
    )


def _compared(curve: Sequence[Sample], arm: Sample) -> tuple[list[str], int, bool]:
    """Cells of an arm beside the curve, the number of images, and whether the interval was extended."""
    common = None
    if arm.measure(ROBUST) is not None:
        common = shared([(quantity, found) for found in (*curve, arm) for quantity in (CLEAN, ROBUST)])
    if common is None:
        scored = UNSCORED if arm.measure(ROBUST) is None else NO_COMMON
        return [scored if arm.seeds else arm.gap, *[MISSING] * 4], 0, False
    clean, robust = (_percent(row) for row in common.means[-2:])
    notes = [arm.note] if arm.note else []
    images = f"{len(common.images):,}"
    if len(curve) < 2:
        reason = f"- ({CURVE} has fewer than two points)"
        return [", ".join([clean, *notes]), robust, MISSING, reason, images], len(common.images), False
    found = _height(common)
    cells = (
        [f"{100 * found.curve:.1f}", _signed(found)]
        if isinstance(found, Height)
        else [MISSING, f"- ({_why(found)})"]
    )
    is_wide = isinstance(found, Height) and found.is_extended
    return [", ".join([clean, *notes]), robust, *cells, images], len(common.images), is_wide


def _height(common: Shared) -> Height | Outside:
    pairs = common.means.reshape(-1, 2, len(common.images)).transpose(2, 0, 1)
    return height_above(pairs[:, :-1], pairs[:, -1])


def _percent(values: np.ndarray) -> str:
    return percent(wilson(float(values.mean()), len(values)))


def _signed(found: Height) -> str:
    mark = EXTENDED if found.is_extended else ""
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]{mark}"


def _why(found: Outside) -> str:
    where = "above" if found.is_above else "below"
    return f"clean accuracy {where} the curve's in {100 * found.share:.0f} % of the resamples"
