"""Figure 2 with the theorems of Section 3.3: the rows of theory.jsonl. Needs no torch."""

from collections.abc import Iterator, Sequence

from rsc_snn.report.reproduction.reading import Evidence
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table
from rsc_snn.report.theory import theory_sections
from rsc_snn.runs.reproduction import Line

THEORY = "theory"


def theory_parts(evidence: Evidence, lines: Sequence[Line]) -> tuple[list[Table], list[Picture]]:
    """Return the tables of similarities and theorems, or one that says why there are none, and pictures."""
    sections = list(_sections(evidence, lines))
    tables = [table for section in sections for table in section.tables]
    if not tables:
        gaps = [evidence.sample(line.numbers[THEORY]).gap for line in _with_theory(lines)]
        tables = (
            [Table("Similarities and theorems", ("what is missing",), [[gap] for gap in gaps])]
            if gaps
            else []
        )
    return tables, [picture for section in sections for picture in section.pictures]


def _sections(evidence: Evidence, lines: Sequence[Line]) -> Iterator[Section]:
    for line in _with_theory(lines):
        places = line.numbers[THEORY]
        for rows in evidence.sample(places).seeds[:1]:
            yield from theory_sections(rows, evidence.run(places[0].run).theory_images)


def _with_theory(lines: Sequence[Line]) -> list[Line]:
    return distinct([line for line in lines if THEORY in line.numbers])
