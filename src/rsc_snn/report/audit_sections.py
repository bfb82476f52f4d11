"""The audit of a run as a section of the report. Needs no torch."""

from collections.abc import Mapping, Sequence

from rsc_snn.report.audits import drawing_of
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.runs.audit_schema import VERDICTS
from rsc_snn.runs.files import Row


def audit_section(name: str, rows: Sequence[Row]) -> Section:
    """Return what is shown of the rows of one audit; there is at least one row."""
    title = f"Audit: {name}"
    columns = ("check", "sign", "verdict", "value", "limit", "what was measured")
    table = Table(title, columns, [_line(row) for row in rows])
    words = f"{_summary(rows)} A check passes if nothing speaks against it; that proves nothing."
    curves = drawing_of(rows)
    picture = curves and Picture(
        curves,
        "A small curve per check, with 95 % intervals over images. The table holds the number that each "
        "check judges.",
        "Intervals are 95 % Wilson intervals over images.",
        width=1200,
    )
    note = 'The column "sign" counts the five signs of obfuscated gradients.'
    return Section(title, [words], [table], [picture] if picture else [], [note])


def lights_section(audits: Mapping[str, Sequence[Row]]) -> Section:
    """Return the verdicts of several audits in one table: a line per check, a column per run."""
    verdicts = {name: {row["title"]: row["verdict"] for row in rows} for name, rows in audits.items()}
    titles = dict.fromkeys(title for found in verdicts.values() for title in found)
    lines = [[title, *(found.get(title, MISSING) for found in verdicts.values())] for title in titles]
    title = "Verdicts of all audits"
    return Section(title, tables=[Table(title, ("check", *verdicts), lines)])


def _summary(rows: Sequence[Row]) -> str:
    verdicts = [row["verdict"] for row in rows]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in reversed(VERDICTS) if v in verdicts)
    first = rows[0]
    draws = f", {first['num_draws']} scoring draws" if first["is_random"] else ""
    quick = "; a quick audit looks less closely than a full one" if first["budget"] != "full" else ""
    few = "; fewer than 30 images are only a rough guide" if first["num_images"] < 30 else ""
    clean = first.get("clean_accuracy")  # rows of earlier versions lack it
    accuracy = "" if clean is None else f", clean accuracy {100 * clean:.1f} %"
    return (
        f"{counts}. {first['num_images']} images{accuracy}, eps {255 * first['eps']:.3g}/255{draws}, budget "
        f"{first['budget']}, seed {first['seed']}{quick}{few}."
    )


def _line(row: Row) -> list[str]:
    sign = "" if row["sign"] is None else str(row["sign"])
    return [
        row["title"],
        sign,
        row["verdict"],
        _number(row["value"]),
        _number(row["threshold"]),
        row["note"],
    ]


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"
