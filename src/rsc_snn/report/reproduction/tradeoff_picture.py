"""The plane of clean accuracy and accuracy under PGD, a curve per kind of noise. Needs no torch."""

from collections.abc import Sequence
from typing import Any

from rsc_snn.report.reproduction.cells import condition_text
from rsc_snn.report.reproduction.charts import COLOURS, MARKERS, new_figure, png
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST, Measured
from rsc_snn.report.reproduction.reading import Evidence
from rsc_snn.report.reproduction.series import PARTIAL, Subject, distinct, image_span, is_partial
from rsc_snn.report.reproduction.tradeoff import ATTACK
from rsc_snn.report.sections import Picture
from rsc_snn.runs.reproduction import Line

_Point = tuple[Measured, Measured, str]  # clean, under attack, condition


def tradeoff_points(evidence: Evidence, lines: Sequence[Line]) -> dict[Subject, list[_Point]]:
    """Return method -> its points, in the order of their clean accuracy."""
    found: dict[Subject, list[_Point]] = {}
    for line in distinct(lines):
        sample = evidence.sample(line.numbers.get(ATTACK, ()))
        clean, robust = sample.measure(CLEAN), sample.measure(ROBUST)
        if clean is not None and robust is not None:
            subject = Subject(line.dataset, line.network, line.method, line.stand_in)
            found.setdefault(subject, []).append((clean, robust, condition_text(line)))
    return {
        subject: sorted(points, key=lambda point: point[0].estimate.value)
        for subject, points in found.items()
    }


def tradeoff_picture(evidence: Evidence, lines: Sequence[Line]) -> list[Picture]:
    """Draw every arm in the plane; none with fewer than two points."""
    found = tradeoff_points(evidence, lines)
    every = [point for points in found.values() for point in points]
    if len(every) < 2:
        return []
    figure = new_figure(6.4, 5.4)
    place = figure.subplots()
    for number, (subject, points) in enumerate(found.items()):
        _draw(place, subject.label, number, points)
    place.set_xlabel("clean accuracy, %")
    place.set_ylabel(f"accuracy under {ATTACK}, %")
    place.set_title(f"{image_span(robust for _, robust, _ in every)} images", fontsize=10)
    place.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    named = "; ".join(
        f"{subject.label}: {', '.join(words or 'one point' for *_, words in points)}"
        for subject, points in found.items()
    )
    alt = f"Clean accuracy (across) and accuracy under {ATTACK} (up), a curve per method. {named}."
    partial = f" {PARTIAL}" if is_partial(evidence, lines) else ""
    caption = (
        "A curve per method, its points named by what they vary; bars are 95 % intervals over images. "
        "Further up at the same place across is better. The numbers are in the tables, where arms are "
        f"subtracted on the same images.{partial}"
    )
    return [Picture(lambda: png(figure), alt, caption, 640)]


def _draw(place: Any, label: str, number: int, points: Sequence[_Point]) -> None:
    style = number % len(COLOURS)
    x, left, right = zip(*(_bar(clean) for clean, _, _ in points), strict=True)
    y, below, above = zip(*(_bar(robust) for _, robust, _ in points), strict=True)
    place.errorbar(
        *(x, y),
        xerr=[left, right],
        yerr=[below, above],
        color=COLOURS[style],
        marker=MARKERS[number % len(MARKERS)],
        markersize=5,
        elinewidth=0.6,
        capsize=2,
        label=label,
    )
    for across, up, (*_, words) in zip(x, y, points, strict=True):
        place.annotate(words, (across, up), (5, 4), textcoords="offset points", fontsize=7)


def _bar(measured: Measured) -> tuple[float, float, float]:
    """Value, and how far the interval reaches below and above it, in percent."""
    value, low, high = (100 * part for part in measured.estimate)
    return value, value - low, high - value
