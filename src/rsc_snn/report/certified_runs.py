"""Certificates of several runs side by side. Needs no torch."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from rsc_snn.report.certificates import certified_accuracy, groups_of, largest_radius, single_draw_bounds
from rsc_snn.report.tables import Table, percent
from rsc_snn.runs.files import Row

_RADII = (0.25, 0.5, 0.75, 1.0, 1.5)


def certified_runs_table(runs: Mapping[str, Sequence[Row]]) -> Table | None:
    """Return a line per run and way of certifying in l_2, all draws taken; None if there is none.

    Args:
        runs: Rows of certificates.jsonl by name.
    """
    lines = [
        _line(name, found)
        for name, rows in runs.items()
        for found in groups_of(rows)
        if found[0]["norm"] == "l2" and found[0]["target"] is None
    ]
    if not lines:
        return None
    columns = (
        "network",
        "images",
        "draws",
        "noise std",
        "r = 0",
        *(f"r = {radius:g}" for radius in _RADII),
        "mean radius",
        "abstained",
        "single draw at r = 0.25, at least",
    )
    notes = [
        "Percent of images whose own class is certified at an l_2 radius r in pixel units; in brackets 95 % "
        "Wilson intervals over images. A dash: so many draws can prove no such radius."
    ]
    return Table("Certified accuracy of the majority vote", columns, lines, notes)


def _line(name: str, rows: Sequence[Row]) -> list[str]:
    right = [row["radius"] if row["predicted"] == row["label"] else 0.0 for row in rows]
    last = largest_radius(rows[0])
    return [
        name,
        str(len(rows)),
        f"{rows[0]['num_estimate']:,}",
        f"{rows[0]['scale']:.4g}",
        percent(certified_accuracy(rows, 0.0)),
        *(percent(certified_accuracy(rows, r) if r <= last else None) for r in _RADII),
        f"{fmean(right):.3f}",
        str(sum(row["predicted"] is None for row in rows)),
        f"{100 * single_draw_bounds(rows, [0.25])[0]:.1f}",
    ]
