"""What each choice of an attack takes, on the same network and images. Needs no torch."""

from collections.abc import Sequence

from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.report.reproduction.cells import measured_cell, subject_text
from rsc_snn.report.reproduction.compared import Cell, attacks_of, cell
from rsc_snn.report.reproduction.differences import REFERENCE
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST
from rsc_snn.report.reproduction.paired import EXTENDED_NOTE, FEW_NOTE, difference_text, has_extended
from rsc_snn.report.reproduction.reading import Evidence
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.reproduction import Line

PROTOCOL = "protocol"
_PAPERS = "PGD"
_COLUMNS = ("network", "attack", "accuracy", f"minus the paper's {_PAPERS}", "images")
_NOTE = (
    "Percent of a single noise draw, differences in points; in brackets 95 % intervals over images: Wilson's "
    "of accuracies, those of paired images of differences. Below zero: the attack takes more than the "
    "paper's. All attacks of a line are on one network, so that differences hold no luck of the training. "
    "Each interval is taken alone."
)


def choices_table(evidence: Evidence, name: str, lines: Sequence[Line]) -> Table | None:
    """Return a line per network and attack: its accuracy, and that minus the accuracy under the paper's PGD.

    Args:
        evidence: The rows.
        name: Of the place.
        lines: A network each; its numbers are named after attacks, of which the paper's is "PGD".

    Returns:
        None where there is no line with an attack.
    """
    rows, sizes = [], set()
    for line in distinct(lines):
        samples = {attack: evidence.sample(line.numbers[attack]) for attack in attacks_of(line)}
        sizes |= {len(seed) for sample in samples.values() for seed in sample.seeds}
        clean = next((sample for sample in samples.values() if sample.seeds), None)
        if clean is not None:
            found = cell(CLEAN, clean)
            rows.append([subject_text(line), "none: clean", measured_cell(found), MISSING, _images(found)])
        papers = evidence.sample(line.numbers.get(_PAPERS, ()))
        for attack, sample in samples.items():
            found, is_papers = cell(ROBUST, sample), attack == _PAPERS
            rows.append(
                [
                    subject_text(line),
                    f"{attack}, the paper's" if is_papers else attack,
                    measured_cell(found),
                    REFERENCE if is_papers else difference_text(ROBUST, sample, papers),
                    _images(found),
                ]
            )
    notes = [_NOTE, *([EXTENDED_NOTE] if has_extended(rows) else [])]
    notes += [FEW_NOTE] if sizes and min(sizes) < FEW_IMAGES else []
    return Table(f"{name}: each attack minus the paper's", _COLUMNS, rows, notes) if rows else None


def _images(found: Cell) -> str:
    return f"{found.measured.num_images:,}" if found.measured else MISSING
