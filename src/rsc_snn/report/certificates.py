"""Certificates as the report shows them: certified accuracy over the radius. Needs no torch."""

import io
import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median

from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.lost import ALPHA, is_surely_lost
from rsc_snn.certification.sequence import lower_bound_so_far
from rsc_snn.evaluation.intervals import Estimate, estimate
from rsc_snn.evaluation.summary import WORST, worst_of_lists
from rsc_snn.guarantees import guarantee_of
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table, percent
from rsc_snn.runs.certificate_schema import demand_of
from rsc_snn.runs.files import Row

_RADII = {
    "l2": (0.217, 0.435, *(step / 4 for step in range(1, 17))),
    "l1": (0.01, 0.02, 0.05, 0.1, 0.125, 0.25, 0.5),
}
_ALWAYS = {"l2": 1.0, "l1": 0.05}  # shown even where so few draws cannot prove them
_LINF = (1, 2, 4, 8)  # in 1/255
_SHARED = ("seed", "alpha", "num_select", "num_estimate", "target", "norm")
_CLOSE = 1e-3  # radii that a table need not tell apart
_LAST_POINT = 200
_COLOURS = ("#0072b2", "#009e73", "#d55e00")  # Okabe, Ito
_ALT = (
    "Certified accuracy of the majority vote over the radius, the bound of a single draw, and the vote under "
    "attack. The table holds the same numbers."
)
_CAPTION = (
    "The true robust accuracy of the majority vote on these images lies between what is certified and what "
    "attacks leave, up to the errors under the table. Bands are 95 % Wilson intervals over images."
)


def groups_of(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the certificates that were made alike, in order."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in _SHARED), []).append(row)
    return list(found.values())


def certified_accuracy(rows: Sequence[Row], radius: float) -> Estimate:
    """Share of images whose own class is certified at ``radius``, with Wilson's interval over images."""
    return estimate([float(is_certified(row, radius)) for row in rows])


def is_certified(row: Row, radius: float) -> bool:
    """Whether an image keeps its own class under every change of that norm."""
    return bool(row["predicted"] == row["label"] and row["radius"] >= radius and row["radius"] > 0)


def single_draw_bounds(rows: Sequence[Row], radii: Sequence[float]) -> list[float]:
    """Least expected accuracy of one draw on these images under any change of norm r, for each r.

    The mean over images of what is left of the label's probability, of which a lower bound is taken at
    alpha / N for each of the N images: all hold together with probability 1 - alpha. The label is known
    before the draws, so that nothing is chosen by them. The attacker does not know the draw.
    """
    alpha = rows[0]["alpha"] / len(rows)
    bound = lower_bound if rows[0]["target"] is None else lower_bound_so_far
    guarantee = guarantee_of(rows[0]["norm"], rows[0]["scale"], rows[0]["num_values"])
    chances = [float(bound(row["counts"][row["label"]], row["num_draws"], alpha)) for row in rows]
    return [fmean(guarantee.under_attack(chance, radius) for chance in chances) for radius in radii]


def certificate_table(name: str, rows: Sequence[Row], attacks: Sequence[Row] = ()) -> Table:
    """One group of certificates: a line per radius.

    Args:
        name: Of the run.
        rows: Certificates that were made alike.
        attacks: Rows of attacks.jsonl; l_2 attacks on the same images stand beside.
    """
    norm, target = rows[0]["norm"], rows[0]["target"]
    upper = votes_under_attack(rows, attacks)
    names = {0.0: "0"} | ({target: f"{target:g}"} if target is not None else _named_radii(rows, upper))
    radii = sorted(names)
    lines = [
        [
            names[radius],
            percent(certified_accuracy(rows, radius)),
            percent(upper.get(radius)),
            f"{100 * left:.1f}",
        ]
        for radius, left in zip(radii, single_draw_bounds(rows, radii), strict=True)
    ]
    columns = (f"{norm} radius", "certified %", "vote under attack, at most %", "single draw, at least %")
    return Table(f"{name}: certificates", columns, lines, _notes(rows, is_attacked=bool(upper)))


def _named_radii(rows: Sequence[Row], attacked: Iterable[float]) -> dict[float, str]:
    """Radius -> how a table calls it, as far as so many draws can prove it; those of l_inf changes too."""
    norm = rows[0]["norm"]
    last = max(largest_radius(rows[0]), _ALWAYS[norm], *attacked)
    linf = {_norm_of_linf(rows[0], k): k for k in _LINF} if norm == "l2" else {}
    names = {radius: f"{radius:.3f} (l_inf {k}/255)" for radius, k in linf.items() if radius <= last}
    names |= {radius: f"{radius:g}" for radius in attacked}
    for radius in _RADII[norm]:
        if radius <= last and all(abs(radius - other) > _CLOSE for other in names):
            names[radius] = f"{radius:g}"
    return names


def _norm_of_linf(row: Row, strength: int) -> float:
    """The largest l_2 norm of a change by ``strength`` / 255 of every pixel value."""
    return float(strength / 255 * math.sqrt(row["num_values"]))


def largest_radius(row: Row) -> float:
    """The radius that so many draws prove if all agree."""
    demand = Demand(**demand_of(row))
    return demand.largest(guarantee_of(row["norm"], row["scale"], row["num_values"]))


def _notes(rows: Sequence[Row], *, is_attacked: bool) -> list[str]:
    first = rows[0]
    right = [row["radius"] for row in rows if row["predicted"] == row["label"]]
    radii = [row["radius"] if row["predicted"] == row["label"] else 0.0 for row in rows]
    abstained = sum(row["predicted"] is None for row in rows)
    draws = sum(row["num_draws"] for row in rows)
    spread = "standard deviation" if first["norm"] == "l2" else "1 / T"
    largest = largest_radius(first)
    notes = [
        f"Test images: {len(rows)}; noise of {spread} {first['scale']:.4g}; alpha {first['alpha']:g} for "
        f"each image; {first['num_select']} draws choose the class, at most {first['num_estimate']:,} others "
        f"certify it; {draws:,} were used. No radius above {largest:.3g} can be proven with so many. In "
        "brackets 95 % Wilson intervals over images.",
        f"Mean radius {fmean(radii):.3f} (0 where the class is wrong or abstained), median "
        f"{median(radii):.3f}; {len(right)} right, {abstained} abstained.",
    ]
    if first["target"] is not None:
        notes.append(
            f"Sampling stopped at the decision about radius {first['target']:g}; others are not sought."
        )
    if first["norm"] == "l2":
        notes.append(_about_linf(first, largest))
    if is_attacked:
        notes.append(
            "The vote under attack: an image is lost where, in fresh draws, another class surely has more "
            f"votes than its own (error {ALPHA:g} per image)."
        )
    if len(rows) < 30:
        notes.append("Fewer than 30 images: the intervals are only a rough guide.")
    return notes


def _about_linf(row: Row, largest: float) -> str:
    norm = _norm_of_linf(row, 8)
    reach = "no certificate reaches" if largest < norm else "certificates can reach"
    return (
        f"An l_inf change of 8/255 has an l_2 norm of up to {norm:.3f} on these images: {reach} l_inf 8/255 "
        "with this noise and so many draws."
    )


def votes_under_attack(rows: Sequence[Row], attacks: Sequence[Row]) -> dict[float, Estimate]:
    """Radius -> at most so large is the accuracy of the majority vote, from l_2 attacks on the same images.

    Where several lists were run, the one that hurts an image most in held-out draws stands for all. An image
    is lost where another class surely has more votes in the scoring draws; otherwise it counts as right, so
    that what is certified lies below.
    """
    if rows[0]["norm"] != "l2":
        return {}
    wanted = {row["index"] for row in rows}
    by_radius: dict[float, list[Row]] = {}
    for row in attacks:
        if row["norm"] == "l2" and row["entry"] == WORST and row["index"] in wanted:
            by_radius.setdefault(row["eps"], []).append(row)
    worst = {radius: worst_of_lists(found) for radius, found in sorted(by_radius.items())}
    return {
        radius: estimate(
            [float(not is_surely_lost(row["adversarial_counts"], row["label"])) for row in found]
        )
        for radius, found in worst.items()
        if len(found) == len(wanted) and all(row["adversarial_counts"] is not None for row in found)
    }


def certificate_sections(name: str, rows: Sequence[Row], attacks: Sequence[Row]) -> list[Section]:
    """Return what the page shows of a run's certificates, a section for each way they were made."""
    found = [(certificate_table(name, alike, attacks), alike) for alike in groups_of(rows)]
    return [
        Section(
            table.title, tables=[table], pictures=[Picture(draw_certificates(alike, attacks), _ALT, _CAPTION)]
        )
        for table, alike in found
    ]


def draw_certificates(rows: Sequence[Row], attacks: Sequence[Row]) -> bytes:
    """Return a PNG of both sides: what is proven from below, what attacks leave from above."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    attacked = votes_under_attack(rows, attacks)
    largest = rows[0]["target"] or max([1.05 * row["radius"] for row in rows] + [rows[0]["scale"], *attacked])
    radii = [largest * step / _LAST_POINT for step in range(_LAST_POINT + 1)]
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    certified = [certified_accuracy(rows, radius) for radius in radii]
    low, value, high = ([100 * point[i] for point in certified] for i in (1, 0, 2))
    panel.fill_between(radii, low, high, step="pre", color=_COLOURS[0], alpha=0.15, linewidth=0)
    panel.plot(radii, value, drawstyle="steps-pre", color=_COLOURS[0], label="majority vote, certified")
    single = [100 * left for left in single_draw_bounds(rows, radii)]
    panel.plot(radii, single, color=_COLOURS[1], linestyle="--", label="single draw, at least")
    if attacked:
        places, found = attacked.keys(), attacked.values()
        below = [100 * (each.value - each.low) for each in found]
        above = [100 * (each.high - each.value) for each in found]
        middle = [100 * each.value for each in found]
        panel.errorbar(
            list(places),
            middle,
            yerr=(below, above),
            color=_COLOURS[2],
            drawstyle="steps-post",  # what holds at a radius holds at larger ones
            marker="o",
            capsize=2,
            label="majority vote under attack, at most",
        )
    panel.set_xlabel(f"radius ({rows[0]['norm']}, pixel units)")
    panel.set_ylabel("accuracy, %")
    panel.set_ylim(0, 102)
    panel.set_xlim(left=0)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    return picture.getvalue()
