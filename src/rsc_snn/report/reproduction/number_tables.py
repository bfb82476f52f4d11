"""Tables of a place: every number beside the paper's, both protocols side by side. Needs no torch."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rsc_snn.evaluation.summary import FEW_IMAGES, why_unreliable
from rsc_snn.paper.number import Number, Status
from rsc_snn.report.audits import audit_flags
from rsc_snn.report.reproduction.cells import (
    difference_cell,
    measured_cell,
    method_text,
    paper_cell,
    signed,
    stand_in_text,
    subject_text,
    value_text,
)
from rsc_snn.report.reproduction.compared import AUDIT, RELIABLE, ComparedLine, attacks_of
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST, VOTE, Quantity, paired_difference
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.reproduction.verdict import Verdict
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.files import Row
from rsc_snn.runs.reproduction import Line

NUMBER_COLUMNS = (
    "method",
    "number",
    "paper",
    "measured, paper protocol",
    "difference",
    "verdict",
    "measured, reliable protocol",
)
_VARIED = {"draws", "steps"}
NOTES = (
    "Accuracies in percent of a single noise draw, QTE in units of 1/255. In brackets 95 % intervals: of "
    "measured numbers Wilson's over images; of the difference (measured under the paper's protocol minus "
    "paper) Newcombe's, which holds the sampling errors of both, and with several seeds the spread of the "
    "training.",
    "Verdict: reproduced where the whole interval lies within 2 points (of a QTE: within 2 % of its range, "
    "0.16), not reproduced where all of it lies outside, else inconclusive. Each verdict is taken alone: of "
    "twenty intervals about one misses.",
)


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
        has_stand_in = any(compared.line.stand_in for compared in found)
        columns = (*NUMBER_COLUMNS, *(["measured on"] if has_stand_in else []))
        rows = [
            [
                method_text(compared.line),
                number.name,
                paper_cell(number.paper),
                measured_cell(number.measured),
                difference_cell(number),
                number.verdict,
                measured_cell(number.reliable),
                *([stand_in_text(compared.line)] if has_stand_in else []),
            ]
            for compared in found
            for number in compared.numbers
        ]
        if rows:
            title = f"{name}, {dataset}, {network}: number by number"
            notes = [*image_notes(found), *remarks(n.paper for c in found for n in c.numbers)]
            tables.append(Table(title, columns, rows, notes))
    return tables


def measured_table(name: str, lines: Sequence[ComparedLine]) -> Table | None:
    """Return a line per network and condition, a column per number, for what the paper prints no numbers of.

    Args:
        name: "Figure 3".
        lines: With their numbers; QTE is left out.
    """
    shown = [found for found in lines if found.numbers]
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
            ]
        )
    heads = ("network", *columns, "reliable protocol: worst case")
    return Table(f"{name}: what was measured", heads, rows, image_notes(shown)) if rows else None


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


def is_in_protocols(line: Line) -> bool:
    """Whether the table of both protocols shows a line: not where the attack itself is varied."""
    return RELIABLE in line.numbers and not _VARIED & line.conditions.keys()


def protocols_table(evidence: Evidence, name: str, lines: Sequence[Line]) -> Table | None:
    """Return both protocols side by side on the same images; None where no line asks for the reliable one."""
    found = [line for line in lines if is_in_protocols(line)]
    if not found:
        return None
    attacks = list(dict.fromkeys(attack for line in found for attack in attacks_of(line)))
    columns = (
        *("network", "clean"),
        *(f"paper protocol: {attack}" for attack in attacks),
        *(
            "reliable protocol: worst case",
            "label",
            *(f"{name} minus reliable" for name in attacks[-1:]),
            "its vote",
            "images",
            "audit",
        ),
    )
    notes = (
        "Percent, on the images that both protocols were run on; in brackets 95 % intervals over images, of "
        "the difference Student's t of paired images.",
    )
    rows = [_protocols(evidence, line, attacks) for line in found]
    return Table(f"{name}: both protocols on the same images", columns, rows, notes)


def _protocols(evidence: Evidence, line: Line, attacks: Sequence[str]) -> list[str]:
    worst = evidence.sample(line.numbers[RELIABLE])
    paper = {name: evidence.sample(line.numbers.get(name, ())) for name in attacks}
    audit = evidence.sample(line.numbers.get(AUDIT, ()))
    seeds = [*worst.seeds, *(rows for sample in paper.values() for rows in sample.seeds)]
    shared = set.intersection(*({row["index"] for row in rows} for rows in seeds)) if seeds else set()
    reasons = "; ".join(dict.fromkeys(r for rows in worst.seeds for r in why_unreliable(rows)))
    label = f"not reliable: {reasons}" if reasons else "reliable"
    reliable = _kept(worst, shared)
    last = _kept(paper[attacks[-1]], shared) if attacks else ()
    gap = paired_difference(_means(last), _means(reliable)) if last and reliable else None
    return [
        subject_text(line),
        _text(CLEAN, reliable or last, worst),
        *(_text(ROBUST, _kept(sample, shared), sample) for sample in paper.values()),
        _text(ROBUST, reliable, worst),
        label if worst.seeds else MISSING,
        *([MISSING if gap is None else signed(gap, 100)] if attacks else []),
        _text(VOTE, reliable, worst),
        str(len(shared)) if shared else MISSING,
        audit_flags(audit.seeds[0]) if audit.seeds else MISSING,
    ]


def _kept(sample: Sample, indices: set[int]) -> tuple[list[Row], ...]:
    return tuple([row for row in rows if row["index"] in indices] for rows in sample.seeds) if indices else ()


def _means(seeds: Sequence[Sequence[Row]]) -> Mapping[int, float]:
    columns = [column for column in map(ROBUST.per_image, seeds) if column is not None]
    if len(columns) < len(seeds):
        return {}
    return {index: sum(column[index] for column in columns) / len(columns) for index in columns[0]}


def _text(quantity: Quantity, seeds: Sequence[Sequence[Row]], sample: Sample) -> str:
    measured = quantity.measure(seeds) if seeds else None
    if measured is None:
        return MISSING if sample.seeds else sample.gap
    return value_text(measured)


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
