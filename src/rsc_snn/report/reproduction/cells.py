"""Numbers of a comparison as the text of cells. Needs no torch."""

from collections.abc import Iterable

from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.paper.number import Number, Status
from rsc_snn.report.reproduction.compared import PAPER_STRENGTH, Cell, Compared
from rsc_snn.report.reproduction.measured import Measured
from rsc_snn.report.tables import MISSING, number, percent
from rsc_snn.runs.reproduction import Line

STAND_IN = "stand-in"  # in every line of one; what it is stands above the tables
NO_COMMON = "nothing in common"
_INSTEAD = ", in place of "
_CONDITIONS = {
    "eps": lambda value: f"eps {round(255 * value, 2):g}/255",
    "draws": lambda value: f"{value:g} draw{'' if value == 1 else 's'} per step",
    "steps": lambda value: f"{value:g} step{'' if value == 1 else 's'}",
    "variance": lambda value: f"variance {value:g}",
    "T": lambda value: f"T={value:g}",
}


def paper_cell(found: Number | None) -> str:
    """The paper's number: 80.29, "4.46 (derived)", or that it is not legible in the source."""
    if found is None:
        return MISSING
    if found.value is None:
        return str(Status.LOST)
    return f"{found.value:.2f}" + (f" ({found.status})" if found.status is not Status.LEGIBLE else "")


def measured_cell(cell: Cell) -> str:
    """A measured number with its interval, the spread over seeds, and what is missing."""
    if cell.measured is None:
        return cell.gap
    text = value_text(cell.measured)
    spread = cell.measured.spread
    if spread is not None:
        count = len(cell.measured.seed_values)
        shown = f"{100 * spread:.1f}" if cell.measured.unit == 1.0 else f"{spread:.2f}"
        text += f", sd over {count} seeds {shown}"
    return f"{text}, {cell.note}" if cell.note else text


def value_text(measured: Measured) -> str:
    """83.4 [74.8, 89.4] for an accuracy, 5.26 [4.91, 5.60] for a QTE."""
    return percent(measured.estimate) if measured.unit == 1.0 else number(measured.estimate)


def difference_cell(compared: Compared) -> str:
    """Measured minus paper: +1.2 [0.1, 2.3] in points, or in units of the QTE."""
    if compared.difference is None:
        return MISSING
    is_qte = compared.measured.measured is not None and compared.measured.measured.unit != 1.0
    return signed(compared.difference, PAPER_STRENGTH / 100 if is_qte else 1.0, 2 if is_qte else 1)


def signed(estimate: Estimate, unit: float = 1.0, decimals: int = 1) -> str:
    """A difference with its interval: +1.2 [0.1, 2.3]."""
    value, low, high = (unit * part for part in estimate)
    return f"{value:+.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"


def condition_text(line: Line) -> str:
    """What distinguishes a line beside its method: "20 draws per step"; empty where nothing does."""
    return ", ".join(
        _CONDITIONS[name](value) if name in _CONDITIONS else f"{name} {value:g}"
        for name, value in line.conditions.items()
    )


def method_text(line: Line) -> str:
    """Method and conditions of a line."""
    condition = condition_text(line)
    return f"{line.method}, {condition}" if condition else line.method


def marked_method(line: Line) -> str:
    """Method and conditions of a line, with the mark of a stand-in."""
    return f"{method_text(line)}, {STAND_IN}" if line.stand_in else method_text(line)


def subject_text(line: Line) -> str:
    """Method, conditions and what it was measured on: "Direct on CIFAR-10, VGG-5" or "Direct, stand-in"."""
    return marked_method(line) if line.stand_in else f"{method_text(line)} on {line.dataset}, {line.network}"


def stand_in_words(lines: Iterable[Line]) -> str:
    """Say once what the stand-ins of some lines are; empty where there is none."""
    found: dict[str, dict[str, None]] = {}
    for line in lines:
        if line.stand_in:
            what, _, place = line.stand_in.partition(_INSTEAD)
            found.setdefault(what, {})[place or f"{line.dataset} {line.network}"] = None
    said = "; ".join(f"{what} in place of {', '.join(places)}" for what, places in found.items())
    return (
        f'A line with "{STAND_IN}" was measured on something else than in the paper: {said}.' if said else ""
    )


def images_cell(compared: Compared) -> str:
    """Images behind the measured numbers of a line: "100", or "100; reliable 16"."""
    own, reliable = (cell.measured for cell in (compared.measured, compared.reliable))
    if own is None or reliable is None or own.num_images == reliable.num_images:
        one = own or reliable
        mark = "reliable " if own is None and reliable else ""
        return f"{mark}{one.num_images:,}" if one else MISSING
    return f"{own.num_images:,}; reliable {reliable.num_images:,}"
