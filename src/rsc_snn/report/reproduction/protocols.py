"""Both protocols side by side on the same networks and images. Needs no torch."""

from collections.abc import Mapping, Sequence

from rsc_snn.evaluation.differences import MeanDifference, mean_difference
from rsc_snn.report.audits import audit_flags
from rsc_snn.report.comparison import EXTENDED, signed_difference
from rsc_snn.report.reproduction.cells import NO_COMMON, subject_text, value_text
from rsc_snn.report.reproduction.choices import PROTOCOL
from rsc_snn.report.reproduction.compared import AUDIT, RELIABLE, attacks_of
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST, VOTE, Quantity
from rsc_snn.report.reproduction.place import place_of
from rsc_snn.report.reproduction.reading import Evidence, Sample, shared_images
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.reproduction import Line

_VARIED = {"draws", "steps"}
_NOTE = (
    "Percent, on the networks and images that both protocols were run on; in brackets 95 % intervals over "
    "images, of the difference those of paired images."
)
_EXTENDED_NOTE = (
    f"{EXTENDED} Few images, or few on which the two differ: the interval reaches further than Student's, as "
    "if two more images were right under the first attack alone, and two under the second alone."
)
_BLACK_BOX_NOTE = (
    "No difference is taken here: the images of this table are made on another network, the reliable "
    "protocol's mostly on the attacked one."
)


def is_in_protocols(line: Line) -> bool:
    """Whether the table of both protocols shows a line: not where the attack itself is varied."""
    is_varied = line.place == PROTOCOL or bool(_VARIED & line.conditions.keys())
    return RELIABLE in line.numbers and not is_varied


def protocols_table(evidence: Evidence, name: str, lines: Sequence[Line]) -> Table | None:
    """Return both protocols side by side on the same images; None where no line asks for the reliable one.

    Stand-ins of several data sets have the same rows and are shown once. Attacks on another network are not
    subtracted from.
    """
    found = distinct([line for line in lines if is_in_protocols(line)])
    if not found:
        return None
    attacks = list(dict.fromkeys(attack for line in found for attack in attacks_of(line)))
    is_black_box = any(place_of(line.place).is_black_box for line in found)
    subtracted = [] if is_black_box else attacks[-1:]
    columns = (
        *("network", "clean"),
        *(f"paper protocol: {attack}" for attack in attacks),
        *("reliable protocol: worst case", "label"),
        *(f"{attack} minus reliable" for attack in subtracted),
        *("its vote", "images", "audit"),
    )
    rows = [_row(evidence, line, attacks, subtracted) for line in found]
    is_extended = any(cell.endswith(EXTENDED) for row in rows for cell in row)
    notes = [_NOTE, *([_EXTENDED_NOTE] if is_extended else []), *([_BLACK_BOX_NOTE] if is_black_box else [])]
    return Table(f"{name}: both protocols on the same images", columns, rows, notes)


def _row(evidence: Evidence, line: Line, attacks: Sequence[str], subtracted: Sequence[str]) -> list[str]:
    samples = {name: evidence.sample(line.numbers.get(name, ())) for name in (*attacks, RELIABLE)}
    runs, images = shared_images(sample for sample in samples.values() if sample.seeds)
    kept = {name: sample.kept(runs, images) for name, sample in samples.items()}
    worst, audit = samples[RELIABLE], evidence.sample(line.numbers.get(AUDIT, ()))
    label = f"not reliable: {'; '.join(worst.doubts)}" if worst.doubts else "reliable"
    clean = next((name for name in (RELIABLE, *attacks) if samples[name].seeds), RELIABLE)
    gaps = [_difference(kept[name], kept[RELIABLE]) for name in subtracted]
    return [
        subject_text(line),
        _text(CLEAN, kept[clean], samples[clean]),
        *(_text(ROBUST, kept[name], samples[name]) for name in attacks),
        _text(ROBUST, kept[RELIABLE], worst),
        label if worst.seeds else MISSING,
        *(MISSING if gap is None else signed_difference(gap) for gap in gaps),
        _text(VOTE, kept[RELIABLE], worst),
        str(len(images)) if images else MISSING,
        audit_flags(audit.seeds[0]) if audit.seeds else MISSING,
    ]


def _difference(first: Sample, second: Sample) -> MeanDifference | None:
    """First minus second, image by image, of the same networks."""
    means = [_means(sample) for sample in (first, second)]
    images = sorted(set(means[0]) & set(means[1]))
    return mean_difference([means[0][i] - means[1][i] for i in images]) if images else None


def _means(sample: Sample) -> Mapping[int, float]:
    """Image -> mean over networks; empty where a row was not scored."""
    columns = [column for column in map(ROBUST.per_image, sample.seeds) if column is not None]
    if not columns or len(columns) < len(sample.seeds):
        return {}
    return {index: sum(column[index] for column in columns) / len(columns) for index in columns[0]}


def _text(quantity: Quantity, kept: Sample, sample: Sample) -> str:
    measured = kept.measure(quantity)
    if measured is not None:
        return f"{value_text(measured)}, {kept.note}" if kept.note else value_text(measured)
    if not sample.seeds:
        return sample.gap
    return MISSING if kept.seeds else NO_COMMON
