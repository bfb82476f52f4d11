"""A line of a table, number by number: paper, measured, difference, verdict. Needs no torch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rsc_snn.evaluation.flags import ABSENT, UNRELIABLE
from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.paper.number import Number, Status
from rsc_snn.report.reproduction.measured import CLEAN, QTE, ROBUST, Measured, Quantity
from rsc_snn.report.reproduction.paper import PaperNumbers
from rsc_snn.report.reproduction.reading import INCOMPLETE, NOT_ASKED, Evidence, Sample
from rsc_snn.report.reproduction.verdict import difference, judge
from rsc_snn.runs.reproduction import Line

SMOKE = "smoke"
RELIABLE, AUDIT = "reliable", "audit"
PAPER_STRENGTH = 8.0  # in 1/255, of every QTE of the paper
UNSCORED = "not scored"
NOT_RUN = "not run"  # since its data is not there
UNNAMED = "not legible"  # of a data set or network of the paper, and short for a lost number
PLACES = (*(f"table{number}" for number in range(1, 8)), *(f"figure{number}" for number in range(1, 4)))
_DOUBTFUL_SHARE = 0.01  # of the images
ATTACKS = "attacks.jsonl"
_QTE_NAMES = {"FGSM": "F-QTE", "PGD": "P-QTE"}
_PAPER_NAMES = {"EOT-PGD": "PGD"}  # what the paper's column may be called instead


@dataclass(frozen=True)
class Cell:
    """A measured number, or why there is none.

    Attributes:
        measured: The number.
        note: What must be said beside it.
        gap: Why there is none.
        strength: Of the attack, in 1/255; None of clean accuracy.
        is_whole: Whether every cell behind it has ended.
    """

    measured: Measured | None
    note: str = ""
    gap: str = NOT_ASKED
    strength: float | None = None
    is_whole: bool = True


@dataclass(frozen=True)
class Compared:
    """One number of a line.

    Attributes:
        name: "Clean", an attack, or a QTE.
        paper: The paper's number; None where the paper has no such cell.
        measured: Under the paper's protocol.
        reliable: Under the reliable protocol at the same strength.
        difference: Measured minus paper in points; None where it must not or cannot be shown.
        verdict: One of ``Verdict``, or "no verdict: reason".
    """

    name: str
    paper: Number | None
    measured: Cell
    reliable: Cell
    difference: Estimate | None
    verdict: str


@dataclass(frozen=True)
class ComparedLine:
    """A line of a table with its numbers."""

    line: Line
    numbers: Sequence[Compared]


def attacks_of(line: Line) -> list[str]:
    """Names of the attacks of a line."""
    return [
        name
        for name, places in line.numbers.items()
        if name != RELIABLE and all(place.file == ATTACKS for place in places)
    ]


def qte_name(attack: str) -> str:
    """The paper's name of the QTE under an attack."""
    return _QTE_NAMES.get(attack, f"QTE under {attack}")


def cell(quantity: Quantity, sample: Sample) -> Cell:
    """Return what a sample says of a quantity."""
    if not sample.seeds:
        return Cell(None, gap=sample.gap)
    notes = [
        *([sample.note] if sample.note else []),
        *(f"not reliable: {reason}" for reason in sample.doubts),
    ]
    if not quantity.is_attacked:
        return Cell(sample.measure(quantity), sample.note, UNSCORED, is_whole=INCOMPLETE not in sample.gaps)
    return Cell(
        sample.measure(quantity),
        ", ".join([*notes, *_doubts(sample)]),
        UNSCORED,
        255 * sample.seeds[0][0]["eps"],
        INCOMPLETE not in sample.gaps,
    )


def _doubts(sample: Sample) -> list[str]:
    """Say which flags many images carry: an attack without gradients, or one that moved nothing."""
    rows = [row for seed in sample.seeds for row in seed]
    counts = Counter(flag for row in rows for flag in row["flags"] if flag not in (*ABSENT, *UNRELIABLE))
    return [
        f"flagged {flag} on {100 * count / len(rows):.1f} % of the images"
        for flag, count in counts.items()
        if count >= _DOUBTFUL_SHARE * len(rows)
    ]


def compare(evidence: Evidence, paper: PaperNumbers, line: Line) -> list[Compared]:
    """Return the numbers of a line: clean accuracy, accuracy under attacks, QTE; none without an attack."""
    attacks = {name: evidence.sample(line.numbers[name]) for name in attacks_of(line)}
    if not line.numbers and line.place in PLACES:
        return _not_run(paper, line)
    if not attacks:
        return []
    reliable = evidence.sample(line.numbers.get(RELIABLE, ()))
    clean = next((sample for sample in attacks.values() if sample.seeds), next(iter(attacks.values())))
    rows = [("Clean", CLEAN, clean)]
    rows += [(name, ROBUST, sample) for name, sample in attacks.items()]
    rows += [(qte_name(name), QTE, sample) for name, sample in attacks.items()]
    return [
        _compared(evidence, paper, line, name, cell(quantity, sample), cell(quantity, reliable))
        for name, quantity, sample in rows
    ]


def _not_run(paper: PaperNumbers, line: Line) -> list[Compared]:
    """The paper's numbers of a line whose data was not there."""
    row = (line.dataset, line.network, line.method)
    numbers = [n for n in paper.of_place(line.place) if (n.dataset, n.network, n.method) == row]
    nothing = Cell(None, gap=NOT_RUN)
    return [
        Compared(number.column, number, nothing, nothing, None, f"no verdict: {NOT_RUN}")
        for number in numbers
    ]


def _compared(
    evidence: Evidence, paper: PaperNumbers, line: Line, name: str, measured: Cell, reliable: Cell
) -> Compared:
    number = find_number(paper, line, name)
    found = _difference(paper, number, measured) if may_compare(evidence, line) else None
    reason = _why_no_verdict(evidence, paper, line, number, measured)
    verdict = f"no verdict: {reason}" if reason or found is None else str(judge(found))
    return Compared(name, number, measured, reliable, found, verdict)


def find_number(paper: PaperNumbers, line: Line, name: str) -> Number | None:
    """Return the paper's number of a line; None where the paper has none."""
    eps = line.conditions.get("eps")
    at_eps = [] if eps is None else [f"{name} {round(255 * eps, 2):g}/255"]
    names = [*at_eps, name, *([_PAPER_NAMES[name]] if name in _PAPER_NAMES else [])]
    found = [paper.find(line.place, line.dataset, line.network, line.method, column) for column in names]
    found += [paper.find(line.place, line.dataset, UNNAMED, line.method, column) for column in names]
    if line.place in PLACES:  # a table of which not even the data sets are known says so for all of them
        found += [number for number in paper.of_place(line.place) if number.dataset == UNNAMED]
    return next((number for number in found if number is not None and number.column in names), None)


def may_compare(evidence: Evidence, line: Line) -> bool:
    """Whether the paper's number may be subtracted: never from a stand-in or under the smoke budget."""
    return evidence.plan.budget != SMOKE and line.stand_in is None


def _difference(paper: PaperNumbers, number: Number | None, cell: Cell) -> Estimate | None:
    if number is None or number.value is None or cell.measured is None or _has_other_strength(cell):
        return None
    share = number.value / (PAPER_STRENGTH if number.column.endswith("QTE") else 100.0)
    return difference(cell.measured, share, paper.test_size(number.dataset))


def _why_no_verdict(
    evidence: Evidence, paper: PaperNumbers, line: Line, number: Number | None, cell: Cell
) -> str:
    if evidence.plan.budget == SMOKE:
        return "smoke budget"
    if line.stand_in is not None:
        return "stand-in"
    if number is None:
        return "the paper has no such number"
    if number.status is Status.LOST or number.value is None:
        return UNNAMED
    if cell.measured is None:
        return cell.gap
    unnamed = ["the paper does not say on which network"] if number.network == UNNAMED else []
    size = paper.test_size(number.dataset)
    fewer = cell.measured.num_images < size
    images = [f"{cell.measured.num_images:,} of {size:,} test images"] if fewer else []
    unfinished = [] if cell.is_whole else [INCOMPLETE]
    strength = ["another attack strength than 8/255"] if _has_other_strength(cell) else []
    return "; ".join([*line.reductions, *unfinished, *images, *unnamed, *strength])


def _has_other_strength(cell: Cell) -> bool:
    """Whether the attack was not of the strength that every legible number of the paper is about."""
    return cell.strength is not None and abs(cell.strength - PAPER_STRENGTH) > 1e-6
