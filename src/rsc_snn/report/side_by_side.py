"""The runs of a folder side by side: tables of all of them, and their curves. Needs no torch."""

from rsc_snn.report.reported import ReportedFolder
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table, paper_table, protocol_table


def comparison_sections(folder: ReportedFolder) -> list[Section]:
    """Return what there is of: the paper's attacks, curves, both protocols."""
    rows = {name: run.rows for name, run in folder.runs.items()}
    audits = {name: run.audit for name, run in folder.runs.items() if run.audit}
    paper, both = paper_table(rows), protocol_table(rows, audits)
    found = (_of(paper), _curves(folder), _of(both))
    return [section for section in found if section]


def _of(table: Table | None) -> Section | None:
    return Section(table.title, tables=[table]) if table else None


def _curves(folder: ReportedFolder) -> Section | None:
    if folder.curves is None:
        return None
    picture = Picture(
        folder.curves,
        "Accuracy of a single noise draw over eps, one panel per attack, one line per network, with 95 % "
        "bands. The tables hold the same numbers.",
        "Bands are 95 % Wilson intervals over images. A curve that falls slowly is not yet robustness: "
        "these are the attacks named above each panel and no others.",
        width=1200,
    )
    return Section("Accuracy over attack strength", pictures=[picture])
