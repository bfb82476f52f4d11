"""What an audit found, in a cell, and small plots of its curves. Needs no torch."""

import json
import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from rsc_snn.report.png import as_png
from rsc_snn.runs.audit_schema import FAIL, PASS, WARN
from rsc_snn.runs.files import Row

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe, Ito
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_COLUMNS = 4
_MOST_NAMES = 3  # curves that a legend has room for


def audit_flags(rows: Sequence[Row]) -> str:
    """Say in a cell what an audit found wrong, the worst first; "-" without an audit."""
    if not rows:
        return "-"
    found = [
        f"{verdict}: {', '.join(row['title'] for row in rows if row['verdict'] == verdict)}"
        for verdict in (FAIL, WARN)
        if any(row["verdict"] == verdict for row in rows)
    ]
    first = rows[0]
    images = f"{first['num_images']} image{'s' if first['num_images'] != 1 else ''}"
    quick = ", quick" if first["budget"] != "full" else ""
    return f"{'; '.join(found) or PASS} ({images}{quick})"


def draw_curves(rows: Sequence[Row]) -> bytes | None:
    """Return a PNG with a small panel per check that has a curve; None if none has.

    The same rows are drawn once: a page may show them in several places.
    """
    draw = drawing_of(rows)
    return draw and draw()


def drawing_of(rows: Sequence[Row]) -> Callable[[], bytes] | None:
    """Return what draws ``draw_curves`` when it is called; None where there is nothing to draw."""
    drawn = [row for row in rows if row["curve"]]
    return partial(_drawn, json.dumps(drawn)) if drawn else None


@lru_cache(maxsize=32)
def _drawn(rows: str) -> bytes:
    """A PNG of rows as JSON, at least one."""
    drawn = json.loads(rows)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(drawn))
    lines = math.ceil(len(drawn) / columns)
    figure = Figure(figsize=(3.4 * columns, 2.9 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(lines, columns, squeeze=False).flatten()
    for panel, row in zip(panels, drawn, strict=False):
        _draw(panel, row)
    for panel in panels[len(drawn) :]:
        panel.set_axis_off()
    return as_png(figure, dpi=120, is_drawing=True)


def _draw(panel: Any, row: Row) -> None:
    is_named = all(len(points) == 1 for points in row["curve"].values())
    for number, (name, points) in enumerate(row["curve"].items()):
        style = number % len(_COLOURS)
        x = [point[0] for point in points]
        y = [point[1] for point in points]
        low = [point[1] - (point[1] if point[2] is None else point[2]) for point in points]
        high = [(point[1] if point[3] is None else point[3]) - point[1] for point in points]
        panel.errorbar(
            x,
            y,
            yerr=(low, high),
            color=_COLOURS[style],
            marker=_MARKERS[style],
            markersize=4,
            linewidth=1.3,
            elinewidth=0.7,
            capsize=2,
            label=name,
        )
    panel.set_title(f"{row['title']}: {row['verdict']}", fontsize=9)
    panel.set_xlabel(row["axes"][0], fontsize=8)
    panel.set_ylabel(row["axes"][1], fontsize=8)
    panel.tick_params(labelsize=7)
    panel.grid(alpha=0.3)
    if is_named:  # a place per name instead of numbers
        names = list(row["curve"])
        places = [points[0][0] for points in row["curve"].values()]
        panel.set_xticks(places, names, rotation=40, ha="right", fontsize=6.5)
        panel.set_xlabel("")
    elif 1 < len(row["curve"]) <= _MOST_NAMES:
        panel.legend(fontsize=7)
    if all(0 <= point[1] <= 1 for points in row["curve"].values() for point in points):
        panel.set_ylim(-0.03, 1.03)  # shares on the same scale, so that panels compare by eye
