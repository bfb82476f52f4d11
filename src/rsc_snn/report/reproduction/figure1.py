"""Figure 1: what QTE is, and the plane of clean against robust accuracy. Needs no torch."""

from collections.abc import Mapping, Sequence

from rsc_snn.report.reproduction.charts import COLOURS, EPS, MARKERS, draw_curve, new_figure, png
from rsc_snn.report.reproduction.compared import RELIABLE, attacks_of, qte_name
from rsc_snn.report.reproduction.measured import CLEAN, QTE, ROBUST, Measured, qte_over_strengths
from rsc_snn.report.reproduction.reading import Evidence, Sample, shared_images
from rsc_snn.report.reproduction.series import (
    PARTIAL,
    Subject,
    curves,
    distinct,
    estimates,
    image_span,
    is_partial,
    subject_of,
    worst_name,
)
from rsc_snn.report.sections import Picture
from rsc_snn.report.tables import MISSING, Table, number
from rsc_snn.runs.reproduction import Line

STRENGTHS = (0.0, 2.0, 4.0, 6.0, 8.0)
_END = STRENGTHS[-1]
_CODINGS = ("Direct", "RSC")  # what the figure compares, by the start of the method's name
_WHITE_BOX = ("table3", "table5", "table6", "table7", "figure1")  # whose networks are points of the plane
_ISO = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
_MOST_POINTS = len(COLOURS) * len(MARKERS)


def qte_table(evidence: Evidence, lines: Sequence[Line]) -> Table | None:
    """Return QTE by one trapezoid and by four, of every network that was attacked at 2, 4, 6 and 8/255.

    Both are over the networks and images that every strength has.
    """
    found: dict[tuple[Subject, str], dict[float, Sample]] = {}
    for line in distinct(lines):
        for attack in [*attacks_of(line), *([RELIABLE] if RELIABLE in line.numbers else [])]:
            sample = evidence.sample(line.numbers[attack])
            if "eps" in line.conditions and sample.seeds:
                strength = round(255 * line.conditions["eps"], 6)
                found.setdefault((subject_of(line, "eps"), attack), {})[strength] = sample
    cells = [_qte_row(subject, attack, attacked) for (subject, attack), attacked in found.items()]
    columns = ("network", "attack", "QTE over 0, 8", "QTE over 0, 2, 4, 6, 8", "images")
    notes = (
        "In units of 1/255; in brackets 95 % intervals over images: Wilson's of the per-image QTE divided by "
        "its range. Both are over the images that every strength has. A dash: the rows of a strength "
        "are missing.",
    )
    return Table("Figure 1: QTE by one trapezoid and by four", columns, cells, notes) if cells else None


def _qte_row(subject: Subject, attack: str, attacked: Mapping[float, Sample]) -> list[str]:
    runs, images = shared_images(attacked.values())
    kept = {strength: sample.kept(runs, images) for strength, sample in attacked.items()}
    one = kept[_END].measure(QTE) if _END in kept else None
    several = qte_over_strengths({x: sample.by_run for x, sample in kept.items()}, STRENGTHS)
    name = worst_name(attacked.values()) if attack == RELIABLE else f"{attack} ({qte_name(attack)})"
    note = next((sample.note for sample in kept.values() if sample.note), "")
    return [
        subject.label,
        name,
        *(_text(measured, note) for measured in (one, several)),
        f"{len(images):,}" if images else MISSING,
    ]


def _text(measured: Measured | None, note: str) -> str:
    if measured is None:
        return MISSING
    return f"{number(measured.estimate)}, {note}" if note else number(measured.estimate)


def area_picture(evidence: Evidence, lines: Sequence[Line]) -> list[Picture]:
    """Draw the accuracy over strength with the area that QTE takes, for direct coding and for RSC."""
    found = curves(evidence, distinct(lines), EPS)
    attack = next((name for name in ("PGD", "FGSM") if name in found), None)
    if attack is None:
        return []
    shown: dict[str, tuple[Subject, dict[float, Measured]]] = {}
    for subject, curve in found[attack].items():
        coding = next((name for name in _CODINGS if subject.method.startswith(name)), None)
        if coding and {0.0, _END} <= curve.keys():
            shown[coding] = (subject, curve)  # the last of a coding: the strongest noise
    if not shown:
        return []
    figure = new_figure(5.8, 4.4)
    place = figure.subplots()
    for style, (subject, curve) in enumerate(shown.values()):
        ends = [100 * curve[x].estimate.value for x in (0.0, _END)]
        place.fill_between((0.0, _END), ends, color=COLOURS[style], alpha=0.13, linewidth=0)
        place.plot((0.0, _END), ends, color=COLOURS[style], linestyle="--", linewidth=1)
        draw_curve(place, subject.label, style, estimates(curve))
    place.set_xlabel(EPS.label)
    place.set_ylabel(f"accuracy under {attack}, %")
    place.set_ylim(0, 102)
    place.grid(alpha=0.3)
    place.legend(fontsize=8)
    names = " and ".join(subject.label for subject, _ in shown.values())
    alt = f"Accuracy over attack strength under {attack} of {names}; the area below it shaded up to 8/255."
    caption = (
        "Shaded: the area of the paper's QTE, one trapezoid from 0 to 8/255 (dashed). Solid: what was "
        "measured; bands are 95 % intervals over images. The numbers are in the table."
    )
    return [Picture(lambda: png(figure), alt, caption, 640)]


def points(evidence: Evidence, lines: Sequence[Line]) -> dict[str, dict[Subject, tuple[Measured, Measured]]]:
    """Return protocol -> network -> clean accuracy and accuracy under its strongest attack at 8/255.

    Under the paper's protocol this is PGD.
    """
    found: dict[str, dict[Subject, tuple[Measured, Measured]]] = {}
    for line in distinct(lines):
        for attack in ("PGD", RELIABLE):
            sample = evidence.sample(line.numbers.get(attack, ()))
            if not sample.seeds or abs(255 * sample.seeds[0][0].get("eps", 0) - _END) > 1e-6:
                continue
            clean, robust = sample.measure(CLEAN), sample.measure(ROBUST)
            if clean is not None and robust is not None and line.place in _WHITE_BOX:
                subject = Subject(line.dataset, line.network, line.method, line.stand_in)
                found.setdefault(attack, {}).setdefault(subject, (clean, robust))
    return found


def plane_picture(evidence: Evidence, lines: Sequence[Line]) -> list[Picture]:
    """Draw every network by its clean and robust accuracy, with lines of equal QTE."""
    found = points(evidence, lines)
    if not found:
        return []
    worst = worst_name(
        evidence.sample(line.numbers[RELIABLE])
        for line in lines
        if RELIABLE in line.numbers and line.place in _WHITE_BOX
    )
    figure = new_figure(5.2 * len(found), 6.0)
    places = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    networks = list(dict.fromkeys(subject for named in found.values() for subject in named))[:_MOST_POINTS]
    for place, (attack, named) in zip(places, found.items(), strict=True):
        for value in _ISO:  # 4 * (clean + robust) / 100 = QTE
            place.plot((0, 25 * value), (25 * value, 0), color="#999999", linewidth=0.6, zorder=0)
            across = min(98.0, 25 * value - 1)
            place.text(across, max(25 * value - across, 1), f"{value:g}", fontsize=7, color="#555555")
        for subject, pair in named.items():
            if subject in networks:
                _draw_point(place, subject.label, networks.index(subject), pair)
        protocol = worst if attack == RELIABLE else f"{attack}, paper protocol"
        place.set_title(f"{protocol}\n{image_span(pair[1] for pair in named.values())} images", fontsize=10)
        place.set_xlim(0, 102)
        place.set_ylim(0, 102)
        place.set_xlabel("clean accuracy, %")
        place.grid(alpha=0.2)
    places[0].set_ylabel("accuracy at eps 8/255, %")
    handles = {
        label: handle
        for place in places
        for handle, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, fontsize=7)
    alt = "Each network by clean accuracy (across) and accuracy under attack (up), with lines of equal QTE."
    caption = (
        "Grey lines: equal QTE, 4 (clean + robust) / 100, with its value. Bars are 95 % intervals over "
        "images. Further up and to the right is better; along a grey line one accuracy is traded for "
        f"the other.{f' {PARTIAL}' if is_partial(evidence, lines) else ''}"
    )
    return [Picture(lambda: png(figure), alt, caption, 520 * len(found))]


def _draw_point(place: object, label: str, style: int, pair: tuple[Measured, Measured]) -> None:
    (x, x_low, x_high), (y, y_low, y_high) = ([100 * part for part in m.estimate] for m in pair)
    place.errorbar(  # type: ignore[attr-defined]
        *([x], [y]),
        xerr=[[x - x_low], [x_high - x]],
        yerr=[[y - y_low], [y_high - y]],
        color=COLOURS[style % len(COLOURS)],
        marker=MARKERS[style // len(COLOURS)],
        linestyle="none",
        markersize=5,
        elinewidth=0.7,
        capsize=2,
        label=label,
    )
