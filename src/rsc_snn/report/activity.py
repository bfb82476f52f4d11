"""Firing rates and operations of the layers of a run, clean and attacked."""

from collections.abc import Sequence
from typing import Any

from rsc_snn.report.png import as_png
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import MISSING, Table, strength
from rsc_snn.runs.activity_schema import CLEAN
from rsc_snn.runs.files import Row

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe, Ito
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_SPREAD = 0.16  # between the conditions of a layer, of the distance between layers
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def activity_section(name: str, rows: Sequence[Row]) -> Section:
    """Return chart and tables of the rows of a run; there is at least one row.

    Args:
        name: Name of the run.
        rows: Those of activity.jsonl.
    """
    first = rows[0]
    is_spiking = any(row["is_spiking"] for row in rows)
    few = " Fewer than 30 images: the intervals are only a rough guide." if first["num_images"] < 30 else ""
    words = (
        f"The first {first['num_images']} test images, each coded once, with the same noise under all "
        f"conditions; T={first['num_steps']}, seed {first['seed']}. PGD is the paper's, noise is "
        f"uniform, both l_inf with eps {strength(first['eps'], 'linf')}. In brackets 95 % intervals "
        f"of Student's t over images.{few}"
    )
    picture = Picture(draw_rates(rows), _alt(rows), _caption(is_spiking=is_spiking))
    tables = (_rate_table(rows, is_spiking=is_spiking), _operation_table(rows, is_spiking=is_spiking))
    return Section(f"Activity of the layers: {name}", words=(words,), tables=tables, pictures=(picture,))


def conditions_of(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each condition, in the order of the pass, the clean images first."""
    named: dict[str, list[Row]] = {CLEAN: []}
    for row in sorted(rows, key=lambda row: int(row["position"])):
        named.setdefault(row["condition"], []).append(row)
    return {name: found for name, found in named.items() if found}


def draw_rates(rows: Sequence[Row]) -> bytes:
    """Return a PNG with the rate of each layer, a marker with its interval per condition."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    named = {
        name: [row for row in found if row["rate"] is not None] for name, found in conditions_of(rows).items()
    }
    layers = [row["layer"] for row in next(iter(named.values()))]
    figure = Figure(figsize=(min(10.0, max(5.5, 1.6 + 0.75 * len(layers))), 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    for number, (name, found) in enumerate(named.items()):
        _draw(panel, name, found, number, (number - (len(named) - 1) / 2) * _SPREAD)
    is_crowded = sum(map(len, layers)) > 70
    turned: dict[str, Any] = {"rotation": 40, "ha": "right"} if is_crowded else {}
    panel.set_xticks(range(len(layers)), layers, fontsize=8.5, **turned)
    panel.set_ylim(bottom=0)
    is_spiking = any(row["is_spiking"] for row in rows)
    panel.set_ylabel("spikes per neuron and step, %" if is_spiking else "neurons above 0, %")
    panel.grid(alpha=0.3, axis="y")
    panel.legend(fontsize=9)
    return as_png(figure, dpi=110, is_drawing=True)


def _draw(panel: Any, name: str, rows: Sequence[Row], style: int, shift: float) -> None:
    means, lows, highs = (
        [100 * number for number in column] for column in zip(*map(_ends, rows), strict=True)
    )
    errors = (
        [mean - low for mean, low in zip(means, lows, strict=True)],
        [high - mean for mean, high in zip(means, highs, strict=True)],
    )
    panel.errorbar(
        [number + shift for number in range(len(means))],
        means,
        yerr=errors,
        fmt=_MARKERS[style % len(_MARKERS)],
        color=_COLOURS[style % len(_COLOURS)],
        markersize=5,
        capsize=3,
        label=name,
    )


def _ends(row: Row) -> list[float]:
    """Rate and the ends of its interval; of one image the rate alone."""
    rate = row["rate"]
    return [rate[0] if number is None else number for number in rate]


def _rate_table(rows: Sequence[Row], *, is_spiking: bool) -> Table:
    named = conditions_of(rows)
    clean, others = named[CLEAN], {name: found for name, found in named.items() if name != CLEAN}
    lines = []
    for position, row in enumerate(clean):
        if row["rate"] is None:
            continue
        changes = [_share(found[position]["change"], sign="+") for found in others.values()]
        line = [row["layer"], f"{row['num_neurons']:,}", _share(row["rate"]), *changes]
        lines.append([*line, f"{100 * row['silent']:.1f}"])
    what = "firing rate" if is_spiking else "active"
    columns = ("layer", "neurons", f"{what}, clean %", *(f"change, {name}" for name in others), "silent %")
    notes = [
        (
            "Firing rate: mean spikes per neuron and step."
            if is_spiking
            else "Active: neurons above 0; this network has no spikes and runs once."
        )
        + " Change: in percentage points, on the same images. Silent: neurons that none of the clean images "
        "made active; fewer remain silent over more images."
    ]
    return Table("Firing rates" if is_spiking else "Active neurons", columns, lines, notes)


def _operation_table(rows: Sequence[Row], *, is_spiking: bool) -> Table:
    named = conditions_of(rows)
    lines = []
    for position, row in enumerate(named[CLEAN]):
        cells = [_operations(found[position], "accumulates") for found in named.values()]
        products = _operations(row, "multiply_accumulates")
        lines.append([row["layer"], *cells, products, _count(row["connections"])])
    sums = [_count(_total(found, "accumulates")) for found in named.values()]
    products = _count(_total(named[CLEAN], "multiply_accumulates"))
    dense = _count(sum(row["connections"] for row in named[CLEAN]))
    lines.append(["all", *sums, products, dense])
    heads = (f"additions, {name}" for name in named)
    notes = [
        "Operations per image that give a layer its current, counted from its weights, borders included. An "
        "addition: a spike reaches a neuron (a spike that an average pool or a mean over space shares out "
        "reaches each neuron behind it). A multiplication: a number that is not a spike times a weight, "
        "zeros included; pixels that are the same at every step count once. Twin: one pass of the same "
        "network without spikes. Neurons, normalisation, biases and residual sums are left out, and so are "
        "memory and hardware: these are counts, not energy."
    ]
    if not is_spiking:
        notes.append("This network is such a twin itself: it adds nothing because of a spike.")
    columns = ("layer", *heads, "multiplications, clean", "multiplications, twin")
    return Table("Operations per image", columns, lines, notes)


def _operations(row: Row, name: str) -> str:
    return MISSING if row[name] is None else _count(row[name][0])


def _total(rows: Sequence[Row], name: str) -> float:
    return float(sum(row[name][0] for row in rows if row[name] is not None))


def _count(value: float) -> str:
    """A count with three digits: 2.84 M."""
    for size, prefix in _PREFIXES:
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g}"


def _share(spread: Sequence[float | None] | None, *, sign: str = "") -> str:
    """A share in percent with its interval."""
    if spread is None or spread[0] is None:
        return MISSING
    shown = [f"{round(100 * number, 2) + 0.0:{sign}.2f}" for number in spread if number is not None]
    return shown[0] if len(shown) == 1 else f"{shown[0]} [{', '.join(shown[1:])}]"


def _alt(rows: Sequence[Row]) -> str:
    clean = [row for row in conditions_of(rows)[CLEAN] if row["rate"] is not None]
    rates = "; ".join(f"{row['layer']} {100 * row['rate'][0]:.1f} %" for row in clean)
    return f"Rate of each layer under {', '.join(conditions_of(rows))}. Clean: {rates}."


def _caption(*, is_spiking: bool) -> str:
    kind = "How often the neurons of each layer fire" if is_spiking else "How many neurons are above 0"
    return (
        f"{kind}; lines are 95 % intervals over images. Conditions share images and noise, so that a change "
        "can be sure although the intervals overlap: the table has its own interval for it. A rate that "
        "hardly changes does not mean that the answer stays."
    )
