"""Arms of a question set beside their reference, on the same images. Needs no torch."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.report.reproduction.cells import marked_method, measured_cell
from rsc_snn.report.reproduction.compared import RELIABLE, attacks_of, cell
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST
from rsc_snn.report.reproduction.paired import EXTENDED_NOTE, FEW_NOTE, difference_text, has_extended
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.reproduction.references import reference_of
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.reproduction import Line

REFERENCE = "reference"
SAME_NETWORK = "the same network"
_CLEAN = "clean"
_SUBTRACTED = (_CLEAN, "PGD", RELIABLE)
ABSENT = "-, reference not measured"


def differences_table(evidence: Evidence, name: str, lines: Sequence[Line]) -> Table | None:
    """Return a line per arm: its accuracies, and their differences to its reference.

    Args:
        evidence: The rows.
        name: Of the place.
        lines: The arms, in order.

    Returns:
        None where there is no line with an attack.
    """
    arms = [line for line in distinct(lines) if attacks_of(line)]
    if not arms:
        return None
    attacks = list(dict.fromkeys(attack for line in arms for attack in attacks_of(line)))
    shown = (_CLEAN, *attacks, *([RELIABLE] if any(RELIABLE in line.numbers for line in arms) else []))
    subtracted = [column for column in _SUBTRACTED if column in shown]
    rows, sizes, trainings = [], set(), set()
    for arm in arms:
        reference = reference_of(arm, arms)
        samples = _samples(evidence, arm, shown)
        other = _samples(evidence, reference, shown) if reference else None
        trainings.add(num_trainings(samples.values()))
        sizes |= {len(seed) for sample in samples.values() for seed in sample.seeds}
        rows.append(
            [
                marked_method(arm),
                *(measured_cell(cell(CLEAN if k == _CLEAN else ROBUST, samples[k])) for k in shown),
                *_differences(samples, other, subtracted, is_reference=arm is reference),
                _images(samples, attacks),
            ]
        )
    heads = ["reliable protocol: worst case" if column == RELIABLE else column for column in shown]
    columns = ("arm", *heads, *(f"{column} minus reference" for column in subtracted), "images")
    notes = [_note(trainings)]
    notes += [EXTENDED_NOTE] if has_extended(rows) else []
    notes += [FEW_NOTE] if sizes and min(sizes) < FEW_IMAGES else []
    return Table(f"{name}: each arm minus its reference, on the same images", columns, rows, notes)


def num_trainings(samples: Iterable[Sample]) -> int:
    """How many networks stand behind some samples of a line; where none is measured yet, how many will."""
    found = list(samples)
    measured = {run for sample in found for run in sample.runs}
    return len(measured) or max((sample.num_asked for sample in found), default=0)


def training_words(trainings: Collection[int]) -> str:
    """Say what an interval over images leaves out.

    Args:
        trainings: Of the arms that are shown, one number or several.
    """
    low, high = min(trainings), max(trainings)
    several = f"{high}" if low == high else f"{low} to {high}"
    said = "is one training of each arm (one seed)" if high == 1 else f"are {several} trainings of each arm"
    return (
        f"Intervals are over images, not over trainings: there {said}, so that a difference of two "
        "arms includes the luck of a training."
    )


def _note(trainings: Collection[int]) -> str:
    return (
        "Percent of a single noise draw, differences in points; in brackets 95 % intervals over images: "
        f"Wilson's of accuracies, those of paired images of differences. {training_words(trainings)} Each "
        "interval is taken alone."
    )


def _samples(evidence: Evidence, line: Line, columns: Sequence[str]) -> dict[str, Sample]:
    """Column -> sample; clean accuracy is read off the first attack that has rows."""
    found = {name: evidence.sample(line.numbers.get(name, ())) for name in columns if name != _CLEAN}
    ours = [found[name] for name in attacks_of(line)]
    return {_CLEAN: next((sample for sample in ours if sample.seeds), ours[0]), **found}


def _differences(
    own: Mapping[str, Sample],
    other: Mapping[str, Sample] | None,
    columns: Sequence[str],
    *,
    is_reference: bool,
) -> list[str]:
    if is_reference:
        return [REFERENCE] + [MISSING] * (len(columns) - 1)
    if other is None:
        return [ABSENT] * len(columns)
    if own[_CLEAN].runs and own[_CLEAN].runs == other[_CLEAN].runs:
        return [SAME_NETWORK] + [MISSING] * (len(columns) - 1)
    quantities = [CLEAN if column == _CLEAN else ROBUST for column in columns]
    return [
        difference_text(quantity, own[column], other[column])
        for column, quantity in zip(columns, quantities, strict=True)
    ]


def _images(samples: Mapping[str, Sample], attacks: Sequence[str]) -> str:
    """Images under each protocol: "300; reliable 32"."""
    ours = [m.num_images for a in attacks if a in samples and (m := samples[a].measure(ROBUST))]
    worst = samples[RELIABLE].measure(ROBUST) if RELIABLE in samples else None
    parts = [f"{min(ours):,}" + (f" to {max(ours):,}" if min(ours) < max(ours) else "")] if ours else []
    parts += [f"reliable {worst.num_images:,}"] if worst else []
    return "; ".join(parts) or MISSING
