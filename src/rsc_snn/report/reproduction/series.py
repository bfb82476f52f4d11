"""A number over a condition: accuracy over eps, steps, draws, variance. Needs no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rsc_snn.report.reproduction.charts import AXES, EPS, Axis, Curve, Panel, draw_panels
from rsc_snn.report.reproduction.compared import RELIABLE, attacks_of
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST, Measured
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.sections import Picture
from rsc_snn.runs.reproduction import Line

_WORST = "worst case, reliable protocol"
_DOUBTED = "worst case, NOT reliable"
CLEAN_NAME = "clean"
PARTIAL = "Some numbers rest on fewer seeds or images than were asked for; the tables say which."


@dataclass(frozen=True)
class Subject:
    """What a line of a plot is about."""

    dataset: str
    network: str
    method: str
    stand_in: str | None
    others: tuple[tuple[str, float], ...] = ()

    @property
    def label(self) -> str:
        """In a legend."""
        parts = [f"{name} {value:g}" for name, value in self.others]
        where = "stand-in" if self.stand_in else f"{self.dataset}, {self.network}"
        return ", ".join([self.method, *parts, where])


def subject_of(line: Line, over: str) -> Subject:
    """Return what a line is about apart from the condition ``over``."""
    others = tuple((name, value) for name, value in line.conditions.items() if name != over)
    return Subject(line.dataset, line.network, line.method, line.stand_in, others)


def distinct(lines: Sequence[Line]) -> list[Line]:
    """Return the lines without those that show the same rows again: stand-ins of several data sets."""
    seen: dict[object, Line] = {}
    for line in lines:
        places = tuple(
            (name, tuple((rows.run, rows.file, tuple(rows.where.items()), rows.limit) for rows in found))
            for name, found in line.numbers.items()
        )
        seen.setdefault((line.method, tuple(line.conditions.items()), places), line)
    return list(seen.values())


def _shown(line: Line, axis: Axis) -> list[str]:
    """Attacks of a line; of the reliable protocol, which has its own steps and draws, only over eps."""
    return [*attacks_of(line), *([RELIABLE] if RELIABLE in line.numbers and axis is EPS else [])]


def curves(
    evidence: Evidence, lines: Sequence[Line], axis: Axis, *, is_clean_shown: bool = False
) -> dict[str, dict[Subject, dict[float, Measured]]]:
    """Return attack -> subject -> place on the axis -> accuracy; "reliable" is the worst case.

    Over eps, 0 is the clean image. ``is_clean_shown`` adds "clean" as if it were an attack.
    """
    found: dict[str, dict[Subject, dict[float, Measured]]] = {}
    for line in lines:
        if axis.name not in line.conditions:
            continue
        across = round(axis.factor * line.conditions[axis.name], 6)
        for name in _shown(line, axis):
            sample = evidence.sample(line.numbers[name])
            measured = sample.measure(ROBUST)
            if measured is None:
                continue
            clean = sample.measure(CLEAN)
            if is_clean_shown and clean is not None:
                cleans = found.setdefault(CLEAN_NAME, {}).setdefault(subject_of(line, axis.name), {})
                cleans.setdefault(across, clean)
            curve = found.setdefault(name, {}).setdefault(subject_of(line, axis.name), {})
            if axis.name == "eps" and clean is not None:
                curve.setdefault(0.0, clean)
            curve[across] = measured
    return found


def worst_name(samples: Iterable[Sample]) -> str:
    """What the worst case of the reliable protocol is called: with the reasons where it is not reliable."""
    doubts = dict.fromkeys(reason for sample in samples for reason in sample.doubts)
    return f"{_DOUBTED}: {'; '.join(doubts)}" if doubts else _WORST


def estimates(curve: Mapping[float, Measured]) -> Curve:
    """Return the numbers of a curve without what they rest on."""
    return {x: measured.estimate for x, measured in curve.items()}


def is_partial(evidence: Evidence, lines: Iterable[Line]) -> bool:
    """Whether some number rests on fewer seeds or images than were asked for."""
    return any(evidence.sample(places).note for line in lines for places in line.numbers.values())


def image_span(found: Iterable[Measured]) -> str:
    """Say over how many images some numbers are: "100", or "16 to 100"."""
    sizes = sorted({measured.num_images for measured in found})
    return f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"


def pictures_over(
    evidence: Evidence,
    lines: Sequence[Line],
    condition: str,
    *,
    words: str = "",
    is_clean_shown: bool = False,
) -> list[Picture]:
    """Draw accuracy over a condition, a plot per attack, a line per method; none with fewer than two points.

    Args:
        evidence: The rows.
        lines: Those without the condition are left out.
        condition: Its name.
        words: More for the caption.
        is_clean_shown: Whether clean accuracy has a plot too.
    """
    axis = AXES.get(condition) or Axis(condition, condition)
    found = curves(evidence, distinct(lines), axis, is_clean_shown=is_clean_shown)
    worst = worst_name(evidence.sample(line.numbers[RELIABLE]) for line in lines if RELIABLE in line.numbers)
    panels = [
        Panel(
            f"{worst if attack == RELIABLE else attack}\n"
            f"{image_span(m for c in named.values() for m in c.values())} images",
            axis,
            {subject.label: estimates(curve) for subject, curve in named.items()},
        )
        for attack, named in found.items()
        if any(len(curve) > 1 for curve in named.values())
    ]
    if not panels:
        return []
    titles = [panel.title.replace("\n", ", ") for panel in panels]
    shown = "; ".join(
        f"{title}: {', '.join(panel.curves)}" for title, panel in zip(titles, panels, strict=True)
    )
    alt = f"Accuracy over {axis.label}, a plot per attack. {shown}. The numbers are in the tables."
    stand_in = " Networks are stand-ins, named in the tables." if any(line.stand_in for line in lines) else ""
    caption = f"Accuracy of a single noise draw over {axis.label}; bands are 95 % intervals over images."
    partial = f" {PARTIAL}" if is_partial(evidence, lines) else ""
    said = f"{caption}{stand_in}{partial}{words and ' ' + words}"
    return [Picture(lambda: draw_panels(panels), alt, said)]
