"""Tables of a place: every number beside the paper's. Needs no torch."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.paper.number import Number, Status
from rsc_snn.report.reproduction.cells import (
    difference_cell,
    images_cell,
    marked_method,
    measured_cell,
    paper_cell,
    subject_text,
)
from rsc_snn.report.reproduction.compared import ComparedLine
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.reproduction.verdict import Verdict
from rsc_snn.report.tables import MISSING, Table

NUMBER_COLUMNS = (
    "method",
    "number",
    "paper",
    "measured, paper protocol",
    "difference",
    "verdict",
    "measured, reliable protocol",
    "images",
)
NOTES = (
    "Accuracies in percent of a single noise draw, QTE in units of 1/255. In brackets 95 % intervals: of "
    "measured numbers Wilson's over images; of the difference (measured under the paper's protocol minus "
    "paper) Newcombe's, which holds the sampling errors of both. The spread of the training is in it only as "
    "far as several seeds show it: with one seed none is, and that of the paper's side never is.",
    "Verdict: reproduced where the whole interval lies within 2 points (of a QTE: within 2 % of its range, "
    "0.16), not reproduced where all of it lies outside, else inconclusive. Each verdict is taken alone: of "
    "twenty intervals about one misses.",
)

POINTER = (
    "Accuracies in percent of a single noise draw, QTE in units of 1/255, in brackets 95 % intervals; how "
    "differences and verdicts are made is said below the table of verdicts."
)
MEASURED_NOTE = "Percent of a single noise draw; in brackets 95 % Wilson intervals over images."


def by_network(lines: Iterable[ComparedLine]) -> dict[tuple[str, str], list[ComparedLine]]:
    """Collect lines by data set and network, in the order of their first appearance."""
    found: dict[tuple[str, str], list[ComparedLine]] = {}
    for compared in lines:
        found.setdefault((compared.line.dataset, compared.line.network), []).append(compared)
    return found


def number_tables(name: str, lines: Sequence[ComparedLine]) -> list[Table]:
    """Return a table per data set and network, a line per number.

    Args:
        name: "Table 3".
        lines: With their numbers.
    """
    tables = []
    for (dataset, network), found in by_network(lines).items():
        rows = [
            [
                marked_method(compared.line),
                number.name,
                paper_cell(number.paper),
                measured_cell(number.measured),
                difference_cell(number),
                number.verdict,
                measured_cell(number.reliable),
                images_cell(number),
            ]
            for compared in found
            for number in compared.numbers
        ]
        if rows:
            title = f"{name}, {dataset}, {network}: number by number"
            notes = [*image_notes(found), *remarks(n.paper for c in found for n in c.numbers)]
            tables.append(Table(title, NUMBER_COLUMNS, rows, notes))
    return tables


def measured_table(name: str, lines: Sequence[ComparedLine]) -> Table | None:
    """Return a line per network and condition, a column per number, for what the paper prints no numbers of.

    It has every number that the pictures of a place are drawn from.

    Args:
        name: "Figure 3".
        lines: With their numbers; QTE is left out, and what shows the same rows again.
    """
    once = {id(line) for line in distinct([found.line for found in lines])}
    shown = [found for found in lines if found.numbers and id(found.line) in once]
    kept = {id(found): [n for n in found.numbers if "QTE" not in n.name] for found in shown}
    columns = list(dict.fromkeys(number.name for numbers in kept.values() for number in numbers))
    rows = []
    for found in shown:
        cells = {number.name: measured_cell(number.measured) for number in kept[id(found)]}
        reliable = next((n.reliable for n in kept[id(found)] if n.name != "Clean"), None)
        rows.append(
            [
                subject_text(found.line),
                *(cells.get(column, MISSING) for column in columns),
                MISSING if reliable is None else measured_cell(reliable),
                images_cell(next((n for n in kept[id(found)] if n.name != "Clean"), kept[id(found)][0])),
            ]
        )
    heads = ("network", *columns, "reliable protocol: worst case", "images")
    notes = [MEASURED_NOTE, *image_notes(shown)]
    return Table(f"{name}: what was measured", heads, rows, notes) if rows else None


def image_notes(lines: Iterable[ComparedLine]) -> list[str]:
    """Say over how many test images the numbers are, and whether that is too few."""
    numbers = [number for compared in lines for number in compared.numbers]
    protocols = {
        "paper protocol": {n.measured.measured.num_images for n in numbers if n.measured.measured},
        "reliable protocol": {n.reliable.measured.num_images for n in numbers if n.reliable.measured},
    }
    sizes = {name: sorted(found) for name, found in protocols.items() if found}
    if not sizes:
        return []
    said = [
        f"{name} {found[0]:,}{f' to {found[-1]:,}' if len(found) > 1 else ''}"
        for name, found in sizes.items()
    ]
    few = min(found[0] for found in sizes.values()) < FEW_IMAGES
    warning = f" Fewer than {FEW_IMAGES} images: the intervals are only a rough guide." if few else ""
    return [f"Test images: {', '.join(said)}.{warning}"]


def verdict_counts(lines: Iterable[ComparedLine]) -> dict[str, int]:
    """Return how many numbers have each verdict; "no verdict" is the last."""
    counts = Counter(
        number.verdict if number.verdict in list(Verdict) else "no verdict"
        for compared in lines
        for number in compared.numbers
    )
    return {name: counts[name] for name in [*Verdict, "no verdict"]}


def verdict_words(lines: Iterable[ComparedLine]) -> str:
    """Say how many numbers have each verdict."""
    return ", ".join(f"{count} {name}" for name, count in verdict_counts(lines).items()) + "."


def paper_table(title: str, numbers: Sequence[Number]) -> Table | None:
    """Return numbers of the paper, a line per method; None if there are none."""
    if not numbers:
        return None
    columns = list(dict.fromkeys(number.column for number in numbers))
    lines: dict[tuple[str, str, str], dict[str, Number]] = {}
    for number in numbers:
        lines.setdefault((number.dataset, number.network, number.method), {})[number.column] = number
    rows = [[*key, *(paper_cell(found.get(column)) for column in columns)] for key, found in lines.items()]
    if all(number.value is None for number in numbers):
        rows = [[*key, ", ".join(found), str(Status.LOST)] for key, found in lines.items()]
        columns = ["numbers", "status"]
    return Table(title, ("data set", "network", "method", *columns), rows, remarks(numbers))


def remarks(numbers: Iterable[Number | None]) -> list[str]:
    """Say of each number that needs it how it is known, once per remark."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for number in numbers:
        if number is not None and number.note:
            found.setdefault(number.note, {}).setdefault(number.method, {})[number.column] = None
    return [
        "; ".join(f"{method} ({', '.join(columns)})" for method, columns in cells.items()) + f": {note}."
        for note, cells in found.items()
    ]
