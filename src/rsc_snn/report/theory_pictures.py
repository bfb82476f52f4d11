"""The pictures of Figure 2: coded images, and their similarities as a chart. Needs no torch."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rsc_snn.errors import RunFolderError
from rsc_snn.report.sections import Picture
from rsc_snn.runs.files import Row

_STYLES = {
    "RSC-I - Poisson": ("#0072b2", "o"),
    "RSC-II - Poisson": ("#56b4e9", "D"),
    "RSC-I - direct": ("#d55e00", "s"),
    "RSC-II - direct": ("#e69f00", "v"),
    "Poisson - direct": ("#009e73", "^"),
}  # colours of Okabe and Ito


def read_pictures(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return data set -> label -> uint8 [C, H, W], and data set -> which image it is.

    Raises:
        RunFolderError: the file is damaged, or is another one.
    """
    from safetensors import SafetensorError, safe_open

    sets: dict[str, dict[str, Any]] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            for key in sorted(file.keys()):
                name, _, rest = key.partition("/")
                sets.setdefault(name, {})[rest.partition(" ")[2]] = file.get_tensor(key)
    except (SafetensorError, OSError) as err:
        raise RunFolderError(f"cannot read {str(path)!r}: it is damaged; run 'rsc-snn theory' again") from err
    is_known = all(
        label and picture.dtype.name == "uint8" and picture.ndim == 3
        for pictures in sets.values()
        for label, picture in pictures.items()
    )
    if not sets or not is_known:
        raise RunFolderError(
            f"{str(path)!r} holds no coded images; give the file that 'rsc-snn theory' wrote"
        )
    return sets, metadata


def coded_images_picture(path: Path) -> Picture:
    """Return Fig. 2a: a row per data set, a column per coding."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sets, metadata = read_pictures(path)
    labels = list(dict.fromkeys(label for pictures in sets.values() for label in pictures))
    figure = Figure(figsize=(1.75 * len(labels), 1.85 * len(sets) + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(sets), len(labels), squeeze=False)
    for number, (name, pictures) in enumerate(sets.items()):
        line = panels[number]
        for panel, label in zip(line, labels, strict=True):
            panel.set_xticks([])
            panel.set_yticks([])
            if label in pictures:
                _show(panel, pictures[label])
            if number == 0:
                panel.set_title(label.replace(", ", "\n"), fontsize=8)
        line[0].set_ylabel(name, fontsize=9)
    shown = "; ".join(f"{name}: {metadata.get(name, 'an image')}" for name in sets)
    return Picture(
        lambda: _png(figure),
        alt=f"One image of each data set ({', '.join(sets)}) in {len(labels)} versions: {'; '.join(labels)}.",
        caption=f"Coded images as the network sees them. {shown}.",
        width=150 * len(labels),
    )


def similarity_picture(rows: Sequence[Row]) -> Picture | None:
    """Return Fig. 2b with its controls: filled marks one image, hollow two different ones; None if empty."""
    chosen = [row for row in rows if _pair(row) in _STYLES]
    if not chosen:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    times = list(dict.fromkeys(row["details"]["time"] for row in chosen))
    figure = Figure(figsize=(8.4, 3.1 * len(times)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(times), 2, sharey=True, squeeze=False)
    for line, time in zip(panels, times, strict=True):
        for panel, is_centred in zip(line, (False, True), strict=True):
            found = [
                row
                for row in chosen
                if (row["details"]["time"], row["details"]["is_centred"]) == (time, is_centred)
            ]
            _draw(panel, found)
            panel.set_title(f"{time}, {'centred' if is_centred else 'uncentred'}", fontsize=10)
        line[0].set_ylabel("cosine similarity")
    parts = [panel.get_legend_handles_labels() for panel in panels.flat]
    handles = {name: handle for part in parts for handle, name in zip(*part, strict=True)}
    names = sorted(handles, key=lambda name: list(_STYLES).index(name.partition(",")[0]))
    shown = [handles[name] for name in names]
    figure.legend(shown, names, loc="outside lower center", ncols=3, fontsize=8)
    return Picture(lambda: _png(figure), alt=_alt(chosen), caption=_CAPTION)


_CAPTION = (
    "Noise of variance 0.1; of one step RSC-I and RSC-II are the same. Filled: both codings of one image; "
    "hollow: of two different images. A high filled mark says little where the hollow one is as high."
)


def _alt(rows: Sequence[Row]) -> str:
    parts = [
        f"{row['subject']}, {row['details']['time']}, {row['details']['first']}: {row['value']:.2f}, "
        f"different image {row['details']['control'][0]:.2f}"
        for row in rows
        if _pair(row).endswith("- Poisson") and not row["details"]["is_centred"]
    ]
    return (
        "Cosine similarities of coded images with controls. Uncentred, with Poisson coding: "
        + "; ".join(parts)
        + ". The table has all numbers."
    )


def _draw(panel: Any, rows: Sequence[Row]) -> None:
    sets = list(dict.fromkeys(row["subject"] for row in rows))
    for row in rows:
        pair = _pair(row)
        place = sets.index(row["subject"]) + 0.16 * (list(_STYLES).index(pair) - 2)
        colour, marker = _STYLES[pair]
        style = {"color": colour, "marker": marker, "linestyle": "none", "capsize": 2}
        is_first = row["subject"] == sets[0]
        _mark(
            panel, place, (row["value"], *row["details"]["interval"]), style, label=pair if is_first else None
        )
        control = f"{pair}, different image" if is_first else None
        _mark(panel, place, row["details"]["control"], {**style, "mfc": "none"}, label=control)
    panel.set_xticks(range(len(sets)), sets)
    panel.set_xlim(-0.5, len(sets) - 0.5)
    panel.set_ylim(-0.05, 1.05)
    panel.grid(axis="y", alpha=0.3)


def _mark(
    panel: Any, place: float, estimate: Sequence[float], style: Mapping[str, Any], *, label: str | None
) -> None:
    value, low, high = estimate
    panel.errorbar([place], [value], yerr=[[value - low], [high - value]], label=label, **style)


def _pair(row: Row) -> str:
    """Of one step there is only RSC; it takes the place of RSC-I."""
    first, second = (row["details"][name].split(" ")[0] for name in ("first", "second"))
    return f"{'RSC-I' if first == 'RSC' else first} - {second}"


def _show(panel: Any, picture: Any) -> None:
    if len(picture) == 1:
        panel.imshow(picture[0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        panel.imshow(picture.transpose(1, 2, 0), interpolation="nearest")


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    return file.getvalue()
