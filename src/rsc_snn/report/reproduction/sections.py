"""A reproduction as sections of a report: one entry point. Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from rsc_snn.paper import numbers
from rsc_snn.paper.number import Number
from rsc_snn.report.reproduction.cells import stand_in_words
from rsc_snn.report.reproduction.checklist import (
    audit_pictures,
    audit_tables,
    certified_tables,
)
from rsc_snn.report.reproduction.choices import PROTOCOL, choices_table
from rsc_snn.report.reproduction.claims import claims_section
from rsc_snn.report.reproduction.compared import SMOKE, ComparedLine, attacks_of, compare
from rsc_snn.report.reproduction.completing import completed
from rsc_snn.report.reproduction.differences import differences_table
from rsc_snn.report.reproduction.figure1 import area_picture, plane_picture, qte_table
from rsc_snn.report.reproduction.figure2 import theory_parts
from rsc_snn.report.reproduction.figure3 import noise_pictures
from rsc_snn.report.reproduction.number_tables import (
    NOTES,
    POINTER,
    measured_table,
    number_tables,
    paper_table,
    verdict_counts,
    verdict_words,
)
from rsc_snn.report.reproduction.paper import PaperNumbers
from rsc_snn.report.reproduction.place import PLACES, QUESTIONS, Place, place_of
from rsc_snn.report.reproduction.protocols import protocols_table
from rsc_snn.report.reproduction.reading import Evidence, read_evidence
from rsc_snn.report.reproduction.running import running_section
from rsc_snn.report.reproduction.series import pictures_over
from rsc_snn.report.reproduction.tradeoff import tradeoff_table
from rsc_snn.report.reproduction.tradeoff_picture import tradeoff_picture
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table
from rsc_snn.runs.reproduction import Line

_SMOKE_WORDS = (
    "Smoke budget: one small network stands in for every network of the paper, so no paper difference is "
    "printed and no number gets a verdict."
)
_ONE_SEED = (
    "One seed: intervals and verdicts hold the choice of test images, not of the training. Another training "
    "of the same recipe may give another verdict; the paper does not say over how many its numbers are."
)


Parts = tuple[Sequence[Table], Sequence[Picture]]
# What a place shows beside the tables of its numbers, from all lines of the reproduction and its own.
_Extra = Callable[[Evidence, Sequence[Line], Sequence[Line]], Parts]


def _nothing(evidence: Evidence, every: Sequence[Line], own: Sequence[Line]) -> Parts:
    return (), ()


def _over(condition: str) -> _Extra:
    return lambda evidence, every, own: ((), pictures_over(evidence, own, condition))


def _question(name: str) -> _Extra:
    """Arms beside their reference, and over a condition where there is one."""

    def parts(evidence: Evidence, every: Sequence[Line], own: Sequence[Line]) -> Parts:
        table = differences_table(evidence, place_of(name).name, own)
        pictures = pictures_over(evidence, own, _VARIED[name], is_clean_shown=True) if name in _VARIED else []
        return (table,) if table else (), pictures

    return parts


def _tradeoff(evidence: Evidence, every: Sequence[Line], own: Sequence[Line]) -> Parts:
    table = tradeoff_table(evidence, place_of("tradeoff").name, own)
    tables, _ = _question("tradeoff")(evidence, every, own)
    return (*([table] if table else []), *tables), tradeoff_picture(evidence, own)


def _protocol(evidence: Evidence, every: Sequence[Line], own: Sequence[Line]) -> Parts:
    table = choices_table(evidence, place_of(PROTOCOL).name, own)
    return (table,) if table else (), ()


def _figure1(evidence: Evidence, every: Sequence[Line], own: Sequence[Line]) -> Parts:
    table = qte_table(evidence, own)
    pictures = (*area_picture(evidence, own), *plane_picture(evidence, every))
    return (table,) if table else (), pictures


_VARIED = MappingProxyType({"timesteps": "T", "variance": "variance"})
_EXTRAS: Mapping[str, _Extra] = MappingProxyType(
    {
        "table1": lambda evidence, every, own: (audit_tables(evidence, own), audit_pictures(evidence, own)),
        "table2": _over("draws"),
        "figure1": _figure1,
        "figure2": lambda evidence, every, own: theory_parts(evidence, own),
        "figure3": lambda evidence, every, own: ((), noise_pictures(evidence, own)),
        "certified": lambda evidence, every, own: (certified_tables(evidence, own), ()),
        "eps": _over("eps"),
        "steps": _over("steps"),
        **{place.key: _question(place.key) for place in QUESTIONS},
        "tradeoff": _tradeoff,
        PROTOCOL: _protocol,
    }
)


def reproduction_sections(folder: Path, paper: PaperNumbers = numbers) -> list[Section] | None:
    """Return what a report shows of the reproduction in a folder; None if it holds none.

    First the verdicts, then each table and figure that was asked for, those that were not (with the paper's
    numbers), the claims of the text, and how it was run.

    Args:
        folder: DIR, which ``rsc-snn reproduce`` wrote.
        paper: The numbers of the paper.

    Raises:
        RunFolderError: a file is damaged or of another version.
    """
    evidence = read_evidence(folder)
    if evidence is None:
        return None
    lines = _lines_by_place(evidence, paper)
    unasked = [place for place in PLACES.values() if place.is_of_paper and place.key not in lines]
    return [
        _verdicts_section(evidence, lines),
        *place_sections(evidence, paper).values(),
        *(_unasked_section(paper, place) for place in unasked),
        claims_section(),
        running_section(evidence),
    ]


def place_sections(evidence: Evidence, paper: PaperNumbers = numbers) -> dict[str, Section]:
    """Return place -> what a report shows of it, for everything that was asked for."""
    lines = _lines_by_place(evidence, paper)
    return {key: _place_section(evidence, paper, place_of(key), found) for key, found in lines.items()}


def _lines_by_place(evidence: Evidence, paper: PaperNumbers) -> dict[str, list[ComparedLine]]:
    lines: dict[str, list[ComparedLine]] = {key: [] for key in evidence.plan.places}
    for line in completed(evidence.plan.lines):
        lines.setdefault(line.place, []).append(ComparedLine(line, compare(evidence, paper, line)))
    return lines


def _verdicts_section(evidence: Evidence, lines: Mapping[str, Sequence[ComparedLine]]) -> Section:
    rows = [
        [place_of(key).name, *(str(count) for count in verdict_counts(found).values())]
        for key, found in lines.items()
        if place_of(key).has_numbers and any(compared.numbers for compared in found)
    ]
    every = [line for key, found in lines.items() if place_of(key).has_numbers for line in found]
    words = [f"All in all: {verdict_words(every)}"]
    if evidence.plan.budget == SMOKE:
        words.append(_SMOKE_WORDS)
    if evidence.plan.seeds == 1:
        words.append(_ONE_SEED)
    table = Table("Verdicts", ("place", *verdict_counts(())), rows)
    return Section("Reproduction: the paper's numbers beside measured ones", words, [table], (), NOTES)


def _place_section(
    evidence: Evidence, paper: PaperNumbers, place: Place, lines: Sequence[ComparedLine]
) -> Section:
    own = [compared.line for compared in lines]
    words = [place.words] if place.words else []
    if any(attacks_of(line) for line in own) and place.has_numbers:
        words.append(f"Verdicts: {verdict_words(lines)}")
    words += [said] if (said := stand_in_words(own)) else []
    words += [f"Not measured: {reason}." for reason in _reasons(own)]
    if not own:
        words.append(f"Nothing was measured: {_why_nothing(evidence)}.")
    protocols = protocols_table(evidence, place.name, own)
    others = _other_numbers(paper, place, lines)
    extras, pictures = _EXTRAS.get(place.key, _nothing)(evidence, evidence.plan.lines, own)
    beside = number_tables(place.name, lines) if place.has_numbers else []
    is_shown = (
        place.has_numbers or place.is_question
    )  # of a question every number stands beside its reference
    measured = None if is_shown else measured_table(place.name, lines)
    tables = [
        *([protocols] if protocols else []),
        *extras,
        *beside,
        *([measured] if measured else []),
        *([others] if others else []),
    ]
    return Section(place.title, words, tables, pictures, (POINTER,) if beside else ())


def _reasons(lines: Sequence[Line]) -> list[str]:
    """Why lines have no rows at all, each network once."""
    found = dict.fromkeys(
        f"{line.dataset}, {line.network}, {'; '.join(line.reductions) or 'no cell of it was asked for'}"
        for line in lines
        if not line.numbers
    )
    return list(found)


def _why_nothing(evidence: Evidence) -> str:
    if evidence.plan.dataset:
        return f"it has no line on {evidence.plan.dataset}, the only data set that was asked for"
    return "no cell of it was asked for"


def _other_numbers(paper: PaperNumbers, place: Place, lines: Sequence[ComparedLine]) -> Table | None:
    """Return the paper's numbers that no line stands beside."""
    if not place.is_of_paper:
        return None
    compared = [number for found in lines for number in found.numbers] if place.has_numbers else []
    shown = {number.paper.key for number in compared if number.paper}
    others: list[Number] = [number for number in paper.of_place(place.key) if number.key not in shown]
    is_rest = place.has_numbers and any(found.numbers for found in lines)
    what = "numbers of the paper that were not measured here" if is_rest else "the paper's own numbers"
    return paper_table(f"{place.name}: {what}", others)


def _unasked_section(paper: PaperNumbers, place: Place) -> Section:
    words = [place.words, f"Not asked for here; 'rsc-snn reproduce {place.key}' measures it."]
    table = _other_numbers(paper, place, ())
    return Section(place.title, words, [table] if table else [])
