"""Numbers of a comparison as the text of cells. Needs no torch."""

from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.paper.number import Number, Status
from rsc_snn.report.reproduction.compared import PAPER_STRENGTH, Cell, Compared
from rsc_snn.report.reproduction.measured import Measured
from rsc_snn.report.tables import MISSING, number, percent
from rsc_snn.runs.reproduction import Line

_CONDITIONS = {
    "eps": lambda value: f"eps {round(255 * value, 2):g}/255",
    "draws": lambda value: f"{value:g} draw{'' if value == 1 else 's'} per step",
    "steps": lambda value: f"{value:g} step{'' if value == 1 else 's'}",
    "variance": lambda value: f"variance {value:g}",
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


def subject_text(line: Line) -> str:
    """Method, conditions and what it was measured on."""
    return f"{method_text(line)} on {stand_in_text(line)}"


def stand_in_text(line: Line) -> str:
    """What was measured: the paper's data and network, or what stands in their place."""
    if line.stand_in is None:
        return f"{line.dataset}, {line.network}"
    return line.stand_in
