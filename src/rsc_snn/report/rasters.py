"""Spike and membrane rasters of one image, layer by layer."""

from typing import Any

import numpy as np

from rsc_snn.report.png import as_png
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.strips import class_name
from rsc_snn.runs.examples import Array, Examples, ShownLayer

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe, Ito
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D")
_MOST_LAYERS = 8
_ROW_HEIGHT = 1.35  # inches
_HALF_BAR = 0.34  # time steps
_DPI = 90


def raster_section(name: str, examples: Examples) -> Section:
    """Return spikes and membranes of the first example image; words alone for a network without spikes.

    Args:
        name: Name of the run.
        examples: What examples.safetensors holds.
    """
    title = f"Spikes and membranes: {name}"
    facts = examples.facts
    if not facts.layers:
        return Section(title, words=("The neurons of this network do not spike and keep no membrane.",))
    layers = shown_layers(list(facts.layers))
    image = f"test image {facts.indices[0]} ({class_name(facts.classes, facts.labels[0])})"
    left_out = (
        f" {len(layers)} of {len(facts.layers)} layers are shown, evenly spaced."
        if len(layers) < len(facts.layers)
        else ""
    )
    words = (
        f"What the layers {facts.layers[0].name} to {facts.layers[-1].name} do with {image} in "
        f"T={facts.num_steps} steps, coded once.{left_out}"
    )
    picture = Picture(draw_rasters(examples, layers), _alt(examples, layers, image), _caption())
    return Section(title, words=(words,), pictures=(picture,))


def shown_layers(layers: list[ShownLayer]) -> list[ShownLayer]:
    """Return up to eight layers, evenly spaced, the first and the last among them."""
    if len(layers) <= _MOST_LAYERS:
        return layers
    return [layers[round(place)] for place in np.linspace(0, len(layers) - 1, _MOST_LAYERS)]


def loudest(spikes_TM: Array, count: int = len(_COLOURS)) -> list[int]:
    """Return the neurons with the most spikes, the earlier of equal ones first, in their order."""
    most = np.argsort(-spikes_TM.sum(0), kind="stable")[:count]
    return sorted(int(number) for number in most)


def draw_rasters(examples: Examples, layers: list[ShownLayer]) -> bytes:
    """Return a PNG with a row per layer: spikes for the clean and the attacked image, and membranes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 0.5 + _ROW_HEIGHT * len(layers)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(layers), 3, squeeze=False, sharex=True, width_ratios=(1, 1, 1.3))
    steps = np.arange(1, examples.facts.num_steps + 1)
    for row, layer in zip(panels, layers, strict=True):
        spikes, membranes = examples.spikes[layer.name], examples.membranes[layer.name]
        for panel, shown in zip(row, spikes, strict=False):
            _draw_spikes(panel, shown, layer.num_spread, steps)
        row[0].set_ylabel(layer.name, fontsize=9)
        spread = slice(layer.num_spread)
        _draw_membranes(row[2], membranes[0][:, spread], spikes[0][:, spread], layer.threshold, steps)
    for panel, title in zip(
        panels[0], ("spikes, clean image", "spikes, attacked image", "membranes, clean image"), strict=True
    ):
        panel.set_title(title, fontsize=10, loc="left")
    for panel in panels[-1]:
        panel.set_xlabel("time step", fontsize=9)
        panel.set_xticks(steps if len(steps) <= 10 else steps[:: -(-len(steps) // 10)])
        panel.set_xlim(0.5, len(steps) + 0.5)
    return as_png(figure, dpi=_DPI, is_drawing=True)


def _draw_spikes(panel: Any, spikes_TM: Array, num_spread: int, steps: Array) -> None:
    """A bar per spike; a line of the panel per neuron, the first on top, the loudest below a rule."""
    num_neurons = spikes_TM.shape[1]
    times, neurons = np.nonzero(spikes_TM)
    panel.hlines(neurons, steps[times] - _HALF_BAR, steps[times] + _HALF_BAR, color="#1a1a1a", linewidth=2.4)
    panel.set_ylim(num_neurons + 0.2, -1.2)
    panel.set_yticks([])
    panel.tick_params(labelsize=8)
    if num_spread < num_neurons:
        panel.axhline(num_spread - 0.5, color="#777777", linewidth=0.8)
    panel.set_title(_counts(spikes_TM, num_spread), fontsize=8, loc="right")


def _draw_membranes(
    panel: Any, membranes_TM: Array, spikes_TM: Array, threshold: float, steps: Array
) -> None:
    """A line per neuron, filled where it fires."""
    panel.axhline(threshold, color="#555555", linewidth=1, linestyle=(0, (1, 1)))
    for style, neuron in enumerate(loudest(spikes_TM)):
        colour, marker = _COLOURS[style], _MARKERS[style]
        values, fires = membranes_TM[:, neuron], spikes_TM[:, neuron]
        panel.plot(steps, values, color=colour, linestyle=_LINES[style], linewidth=1.1)
        for chosen, face in ((fires, colour), (~fires, "white")):
            panel.plot(
                steps[chosen], values[chosen], marker, color=colour, markerfacecolor=face, markersize=4
            )
    panel.tick_params(labelsize=8)
    panel.grid(alpha=0.25)


def _alt(examples: Examples, layers: list[ShownLayer], image: str) -> str:
    counts = [
        f"{layer.name} {' and '.join(_counts(s, layer.num_spread) for s in examples.spikes[layer.name])}"
        for layer in layers
    ]
    return (
        f"Spikes of some neurons of each layer over time for {image}, clean and attacked, and membranes. "
        f"Spikes shown, of neurons "
        f"spread over the layer + of its most active ones, clean and attacked: {'; '.join(counts)}."
    )


def _counts(spikes_TM: Array, num_spread: int) -> str:
    """Spikes of the neurons that are spread over the layer, and of the loudest."""
    return f"{int(spikes_TM[:, :num_spread].sum())} + {int(spikes_TM[:, num_spread:].sum())}"


def _caption() -> str:
    return (
        "A line of a raster is a neuron, a bar a spike. Above the rule up to 12 neurons spread over the "
        "layer without regard to what they do; below it the 12 others that spike most with both images "
        "together, which say nothing of how active a layer is. Both images show the same neurons; the "
        "numbers count the spikes above and below the rule. Right: membranes of the four neurons above the "
        "rule that spike most; dotted the threshold, filled where the neuron fires, after which it starts "
        "again from 0. One image, coded once: to compare layers or images look at the firing rates."
    )
