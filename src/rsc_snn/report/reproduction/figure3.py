"""Figure 3: clean and robust accuracy over the variance of the noise and over eps. Needs no torch."""

from collections.abc import Sequence

from rsc_snn.report.reproduction.charts import EPS, VARIANCE, Panel, draw_panels
from rsc_snn.report.reproduction.compared import attacks_of
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST, Measured
from rsc_snn.report.reproduction.reading import Evidence
from rsc_snn.report.reproduction.series import CLEAN_NAME, PARTIAL, distinct, estimates, is_partial
from rsc_snn.report.sections import Picture
from rsc_snn.runs.reproduction import Line

Surface = dict[str, dict[tuple[float, float], tuple[Measured, Measured]]]


def surface(evidence: Evidence, lines: Sequence[Line]) -> Surface:
    """Return attack -> (variance, eps in 1/255) -> clean and robust accuracy."""
    found: Surface = {}
    for line in distinct(lines):
        if not {"variance", "eps"} <= line.conditions.keys():
            continue
        point = (line.conditions["variance"], round(255 * line.conditions["eps"], 6))
        for attack in attacks_of(line):
            sample = evidence.sample(line.numbers[attack])
            clean, robust = sample.measure(CLEAN), sample.measure(ROBUST)
            if clean is not None and robust is not None:
                found.setdefault(attack, {})[point] = (clean, robust)
    return found


def noise_pictures(evidence: Evidence, lines: Sequence[Line]) -> list[Picture]:
    """Draw accuracy over the variance, a line per eps, and over eps, a line per variance."""
    found = surface(evidence, lines)
    if not found:
        return []
    stand_in = " Of stand-ins, named in the tables." if any(line.stand_in for line in lines) else ""
    partial = f" {PARTIAL}" if is_partial(evidence, lines) else ""
    bands = f"Bands are 95 % intervals over images.{stand_in}{partial}"
    words = "Accuracy over the variance of the noise, a plot per attack: clean solid, under attack dotted"
    across = [_over_variance(attack, points) for attack, points in found.items()]
    along = [_over_eps(attack, points) for attack, points in found.items()]
    return [
        Picture(
            lambda: draw_panels(across),
            f"{words}, a line per attack strength. The numbers are in the tables.",
            bands,
        ),
        Picture(
            lambda: draw_panels(along),
            "Accuracy over attack strength, a plot per attack, a line per variance; see the tables.",
            f"The same numbers over attack strength; 0 is the clean image. {bands}",
        ),
    ]


def _over_variance(attack: str, points: dict[tuple[float, float], tuple[Measured, Measured]]) -> Panel:
    lines: dict[str, dict[float, Measured]] = {}
    for (variance, _), (clean, _) in sorted(points.items()):
        lines.setdefault(CLEAN_NAME, {}).setdefault(variance, clean)
    for (variance, eps), (_, robust) in sorted(points.items(), key=lambda item: item[0][::-1]):
        lines.setdefault(f"eps {eps:g}/255", {})[variance] = robust
    curves = {label: estimates(curve) for label, curve in lines.items()}
    return Panel(attack, VARIANCE, curves, [label for label in curves if label != CLEAN_NAME])


def _over_eps(attack: str, points: dict[tuple[float, float], tuple[Measured, Measured]]) -> Panel:
    lines: dict[str, dict[float, Measured]] = {}
    for (variance, eps), (clean, robust) in sorted(points.items()):
        lines.setdefault(f"variance {variance:g}", {0.0: clean})[eps] = robust
    curves = {label: estimates(curve) for label, curve in lines.items()}
    return Panel(attack, EPS, curves, list(curves))
