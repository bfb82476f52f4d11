"""Arms of a question set beside their reference, on the same images. Needs no torch."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType

from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.report.reproduction.cells import marked_method, measured_cell
from rsc_snn.report.reproduction.compared import RELIABLE, attacks_of, cell
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST
from rsc_snn.report.reproduction.paired import EXTENDED_NOTE, FEW_NOTE, difference_text, has_extended
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.reproduction import Line

REFERENCE = "reference"
SAME_NETWORK = "the same network"
_CLEAN = "clean"
_SUBTRACTED = (_CLEAN, "PGD", RELIABLE)
_WITHIN: Mapping[str, Callable[[Line], Hashable]] = MappingProxyType(
    {
        "adversarial": lambda line: line.method.partition(" + ")[0],  # the coding
        "resampling": lambda line: line.conditions.get("variance"),
    }
)
"""What arms of a place share with their reference; elsewhere there is one reference for all."""


def differences_table(evidence: Evidence, name: str, lines: Sequence[Line]) -> Table | None:
    """Return a line per arm: its accuracies, and their differences to the first arm of its group.

    Args:
        evidence: The rows.
        name: Of the place.
        lines: The arms, in order; of each group the first is the reference.

    Returns:
        None where there is no line with an attack.
    """
    arms = [line for line in distinct(lines) if attacks_of(line)]
    if not arms:
        return None
    attacks = list(dict.fromkeys(attack for line in arms for attack in attacks_of(line)))
    shown = (_CLEAN, *attacks, *([RELIABLE] if any(RELIABLE in line.numbers for line in arms) else []))
    subtracted = [column for column in _SUBTRACTED if column in shown]
    references: dict[Hashable, Line] = {}
    rows, sizes = [], set()
    for arm in arms:
        reference = references.setdefault(_group(arm), arm)
        samples = _samples(evidence, arm, shown)
        sizes |= {len(seed) for sample in samples.values() for seed in sample.seeds}
        rows.append(
            [
                marked_method(arm),
                *(measured_cell(cell(CLEAN if k == _CLEAN else ROBUST, samples[k])) for k in shown),
                *_differences(samples, _samples(evidence, reference, shown), subtracted, arm is reference),
                _images(samples, attacks),
            ]
        )
    heads = ["reliable protocol: worst case" if column == RELIABLE else column for column in shown]
    columns = ("arm", *heads, *(f"{column} minus reference" for column in subtracted), "images")
    notes = [_note(evidence.plan.seeds)]
    notes += [EXTENDED_NOTE] if has_extended(rows) else []
    notes += [FEW_NOTE] if sizes and min(sizes) < FEW_IMAGES else []
    return Table(f"{name}: each arm minus its reference, on the same images", columns, rows, notes)


def training_words(seeds: int) -> str:
    """Say what an interval over images leaves out."""
    trainings = "one training of each arm (one seed)" if seeds == 1 else f"{seeds} trainings of each arm"
    return (
        f"Intervals are over images, not over trainings: there is {trainings}, so that a difference of two "
        "arms includes the luck of a training."
    )


def _note(seeds: int) -> str:
    return (
        "Percent of a single noise draw, differences in points; in brackets 95 % intervals over images: "
        f"Wilson's of accuracies, those of paired images of differences. {training_words(seeds)} Each "
        "interval is taken alone."
    )


def _group(line: Line) -> Hashable:
    within = _WITHIN[line.place](line) if line.place in _WITHIN else None
    return (line.dataset, line.network, within)


def _samples(evidence: Evidence, line: Line, columns: Sequence[str]) -> dict[str, Sample]:
    """Column -> sample; clean accuracy is read off the first attack that has rows."""
    found = {name: evidence.sample(line.numbers.get(name, ())) for name in columns if name != _CLEAN}
    ours = [found[name] for name in attacks_of(line)]
    return {_CLEAN: next((sample for sample in ours if sample.seeds), ours[0]), **found}


def _differences(
    own: Mapping[str, Sample], other: Mapping[str, Sample], columns: Sequence[str], is_reference: bool
) -> list[str]:
    if is_reference:
        return [REFERENCE] + [MISSING] * (len(columns) - 1)
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
