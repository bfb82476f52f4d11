"""Plots of a reproduction: a number over a condition, a line with its band per method. Needs no torch."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.report.pictures import shrink

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe, Ito
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DPI = 100
_MOST_BYTES = 110_000
Curve = Mapping[float, Estimate]


@dataclass(frozen=True)
class Axis:
    """What a condition is called on an axis.

    Attributes:
        name: Of the condition: "eps".
        label: What stands below the axis.
        factor: From the condition to the axis: 255 for eps.
        is_log: Whether steps of the same ratio are as long as each other.
    """

    name: str
    label: str
    factor: float = 1.0
    is_log: bool = False


EPS = Axis("eps", "attack strength, eps in 1/255 (l_inf)", 255.0)
DRAWS = Axis("draws", "draws of the noise per gradient", is_log=True)
STEPS = Axis("steps", "attack steps", is_log=True)
VARIANCE = Axis("variance", "variance of the noise", is_log=True)
TIME = Axis("T", "time steps T", is_log=True)
AXES = {axis.name: axis for axis in (EPS, DRAWS, STEPS, VARIANCE, TIME)}


@dataclass(frozen=True)
class Panel:
    """One plot.

    Attributes:
        title: Above it.
        axis: Below it.
        curves: Label -> place on the axis -> accuracy as a fraction.
        dotted: Labels whose lines are dotted.
    """

    title: str
    axis: Axis
    curves: Mapping[str, Curve]
    dotted: Sequence[str] = ()


def draw_panels(panels: Sequence[Panel]) -> bytes:
    """Return a PNG of plots side by side, at most two in a row, with 95 % bands."""
    labels = list(dict.fromkeys(label for panel in panels for label in panel.curves))
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    figure = new_figure(4.6 * columns, 3.8 * lines + 0.25 * -(-len(labels) // 2))
    places = figure.subplots(lines, columns, sharey=True, squeeze=False).flatten()
    for place, panel in zip(places, panels, strict=False):
        for label, curve in panel.curves.items():
            number, is_dotted = labels.index(label), label in panel.dotted
            if panel.axis.is_log and 0.0 in curve:
                draw_level(place, f"{label}, at 0", number, curve[0.0])
            shown = {x: point for x, point in curve.items() if x > 0 or not panel.axis.is_log}
            if shown:
                draw_curve(place, label, number, shown, is_dotted=is_dotted)
        place.set_title(panel.title, fontsize=10)
        place.set_xlabel(panel.axis.label)
        place.set_ylim(0, 102)
        place.grid(alpha=0.3)
        if panel.axis.is_log:
            name_places(place, sorted({x for curve in panel.curves.values() for x in curve if x > 0}))
    for place in places[len(panels) :]:
        place.set_axis_off()
    for place in places[::columns]:
        place.set_ylabel("accuracy, %")
    handles = {
        label: handle
        for place in places
        for handle, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, fontsize=8)
    return png(figure)


def draw_curve(place: Any, label: str, number: int, curve: Curve, *, is_dotted: bool = False) -> None:
    """Draw one line with its band, in percent."""
    style = number % len(COLOURS)
    across = sorted(curve)
    value, low, high = ([100 * curve[x][part] for x in across] for part in range(3))
    place.fill_between(across, low, high, color=COLOURS[style], alpha=0.12, linewidth=0)
    place.plot(
        *(across, value),
        color=COLOURS[style],
        marker=MARKERS[number % len(MARKERS)],
        markersize=5,
        linestyle=":" if is_dotted else "-",
        label=label,
    )


def draw_level(place: Any, label: str, number: int, point: Estimate) -> None:
    """Draw what stands at 0, which a logarithmic axis does not have, as a level with its band."""
    colour = COLOURS[number % len(COLOURS)]
    place.axhspan(100 * point.low, 100 * point.high, color=colour, alpha=0.12, linewidth=0)
    place.axhline(100 * point.value, color=colour, linestyle="--", label=label)


def name_places(place: Any, across: Sequence[float]) -> None:
    """Give a logarithmic axis its own numbers, not powers of ten."""
    place.set_xscale("log")
    place.set_xticks(across, [f"{x:g}" for x in across])
    place.minorticks_off()


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure, inches; no window system is needed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Any) -> bytes:
    """Return a figure as PNG of at most 110 kB."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DPI)
    return light(picture.getvalue())


def light(picture: bytes) -> bytes:
    """Return a PNG with fewer colours, or smaller, if it weighs more than 110 kB."""
    return shrink([picture], _MOST_BYTES)[0]
