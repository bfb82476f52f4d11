"""Curves of accuracy over attack strength, as PNG."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.evaluation.summary import WORST, group, summarise
from rsc_snn.report.tables import main_list
from rsc_snn.runs.files import Row, replace_file

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe, Ito
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def accuracy_over_eps(runs: Mapping[str, Sequence[Row]]) -> dict[str, dict[str, dict[float, Estimate]]]:
    """Return attack -> run -> strength in 1/255 -> accuracy of a single draw; 0 is the clean image.

    The judge's worst case is the attack "worst case". A run is represented by its ``main_list``.
    """
    curves: dict[str, dict[str, dict[float, Estimate]]] = {}
    for name, rows in runs.items():
        for found in group(main_list(rows)).values():
            row, summary = found[0], summarise(found)
            if summary.robust is None:
                continue
            attack = "worst case" if row["entry"] == WORST else row["entry"]
            curve = curves.setdefault(attack, {}).setdefault(name, {0.0: summary.clean})
            curve[round(255 * row["eps"], 6)] = summary.robust
    return {attack: named for attack, named in curves.items() if _is_drawable(named)}


def draw_accuracy_over_eps(runs: Mapping[str, Sequence[Row]], path: Path) -> bool:
    """Write ``draw_accuracy`` to a file; False if there is nothing to draw."""
    picture = draw_accuracy(runs)
    if picture is not None:
        write_picture(path, picture)
    return picture is not None


def write_picture(path: Path, png: bytes) -> None:
    """Write a picture atomically, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda temporary: _write(temporary, png))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def draw_accuracy(runs: Mapping[str, Sequence[Row]]) -> bytes | None:
    """Return a PNG with one panel per attack, a line with its 95 % band per run; None without points."""
    curves = accuracy_over_eps(runs)
    if not curves:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(curves), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    names = list(dict.fromkeys(name for named in curves.values() for name in named))
    for panel, (attack, named) in zip(panels, curves.items(), strict=True):
        for name, curve in named.items():
            style = names.index(name) % len(_COLOURS)
            strengths = sorted(curve)
            points = [curve[s] for s in strengths]
            means, lows, highs = ([100 * value for value in column] for column in zip(*points, strict=True))
            panel.fill_between(strengths, lows, highs, color=_COLOURS[style], alpha=0.12, linewidth=0)
            panel.plot(strengths, means, color=_COLOURS[style], marker=_MARKERS[style], label=name)
        panel.set_title(attack, fontsize=11)
        panel.set_xlabel("attack strength, eps in 1/255 (l_inf)")
        panel.set_ylim(0, 102)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("accuracy of a single draw, %")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(5, len(names))
    )
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    return picture.getvalue()


def _is_drawable(named: Mapping[str, Mapping[float, Estimate]]) -> bool:
    return any(len(curve) >= 2 for curve in named.values())
