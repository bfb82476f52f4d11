"""Table 1 and what else is a list: the five signs of an audit, and certificates. Needs no torch."""

from collections.abc import Sequence

from rsc_snn.report.audits import audit_flags, drawing_of
from rsc_snn.report.certified_runs import certified_runs_table
from rsc_snn.report.reproduction.cells import subject_text
from rsc_snn.report.reproduction.compared import AUDIT
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.reproduction.series import distinct
from rsc_snn.report.sections import Picture
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.files import Row
from rsc_snn.runs.reproduction import Line

CERTIFIED = "certified"
SIGNS = (
    "single-step attacks do better than iterative ones",
    "black-box attacks do better than white-box ones",
    "a larger bound does not help the attack",
    "unbounded attacks do not reach 100 %",
    "random search finds adversarial images",
)
_COLUMNS = ("sign", "what was checked", "verdict", "value", "limit", "what was measured")


def audit_tables(evidence: Evidence, lines: Sequence[Line]) -> list[Table]:
    """Return the five signs, a table per audited network; why there is none where an audit is missing."""
    return [
        _audit_table(evidence, line) for line in distinct([line for line in lines if AUDIT in line.numbers])
    ]


def audit_pictures(evidence: Evidence, lines: Sequence[Line]) -> list[Picture]:
    """Return the curves of the audits."""
    found = []
    for line in distinct([line for line in lines if AUDIT in line.numbers]):
        for rows in evidence.sample(line.numbers[AUDIT]).seeds[:1]:
            curves = drawing_of(rows)
            alt = f"A small curve per check for {subject_text(line)}. The table has the numbers that decide."
            caption = (
                f"{subject_text(line)}: what the signs and the checks beyond them are read off; intervals "
                "are 95 % over images."
            )
            found += [Picture(curves, alt, caption, width=1200)] if curves else []
    return found


def _audit_table(evidence: Evidence, line: Line) -> Table:
    sample = evidence.sample(line.numbers[AUDIT])
    title = f"Table 1: {subject_text(line)}"
    if not sample.seeds:
        return Table(title, _COLUMNS, [_gap(number, sample.gap) for number in range(1, 6)])
    rows = sample.seeds[0]
    signs = sorted((row for row in rows if row["sign"] is not None), key=lambda row: row["sign"])
    present = {row["sign"] for row in signs}
    cells = [*map(_line, signs), *(_gap(n, "not checked") for n in range(1, 6) if n not in present)]
    notes = [f"All checks of this audit, with those beyond the five signs: {audit_flags(rows)}."]
    if len(sample.seeds) > 1:
        notes.append("Of several seeds the first is shown.")
    return Table(title, _COLUMNS, cells, notes)


def _gap(sign: int, reason: str) -> list[str]:
    return [str(sign), SIGNS[sign - 1], reason, MISSING, MISSING, MISSING]


def _line(row: Row) -> list[str]:
    return [
        str(row["sign"]),
        row["title"],
        row["verdict"],
        _number(row["value"]),
        _number(row["threshold"]),
        row["note"],
    ]


def certified_tables(evidence: Evidence, lines: Sequence[Line]) -> list[Table]:
    """Return the certified accuracy of the lines that have certificates, of the first seed."""
    samples: dict[str, Sample] = {}
    for line in distinct([line for line in lines if CERTIFIED in line.numbers]):
        name = subject_text(line)
        if name in samples:  # a stand-in with other rows
            name = f"{name} for {line.dataset}, {line.network}"
        samples[name] = evidence.sample(line.numbers[CERTIFIED])
    found = {
        f"{name}, {sample.note}" if sample.note else name: sample.seeds[0]
        for name, sample in samples.items()
        if sample.seeds
    }
    table = certified_runs_table(found)
    missing = [[name, sample.gap] for name, sample in samples.items() if not sample.seeds]
    gaps = Table("Certificates that are missing", ("network", "why"), missing)
    return [*([table] if table else []), *([gaps] if missing else [])]


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"
