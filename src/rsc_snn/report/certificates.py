"""Certificates as the report shows them: certified accuracy over the radius. Needs no torch."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.sequence import lower_bound_so_far
from rsc_snn.evaluation.intervals import Estimate, estimate
from rsc_snn.evaluation.summary import WORST, group, summarise
from rsc_snn.guarantees import guarantee_of
from rsc_snn.report.tables import Table, percent
from rsc_snn.runs.files import Row

RADII = {"l2": (0.217, 0.25, 0.435, 0.5, 0.75, 1.0, 1.25, 1.5), "l1": (0.01, 0.02, 0.05, 0.1, 0.125, 0.25)}
_SHARED = ("seed", "alpha", "num_select", "num_estimate", "target", "norm")
_LAST_POINT = 60
_COLOURS = ("#0072b2", "#009e73", "#d55e00")  # Okabe, Ito


def groups_of(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the certificates that were made alike, in order."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in _SHARED), []).append(row)
    return list(found.values())


def certified_accuracy(rows: Sequence[Row], radius: float) -> Estimate:
    """Share of images whose own class is certified at ``radius``, with Wilson's interval over images."""
    return estimate([float(_is_certified(row, radius)) for row in rows])


def _is_certified(row: Row, radius: float) -> bool:
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
    upper = _votes_under_attack(rows, attacks)
    sought = (*RADII[norm], *upper) if target is None else (target,)
    radii = sorted({0.0, *sought})
    lines = [
        [
            f"{radius:g}",
            percent(certified_accuracy(rows, radius)),
            percent(upper.get(radius)),
            f"{100 * left:.1f}",
        ]
        for radius, left in zip(radii, single_draw_bounds(rows, radii), strict=True)
    ]
    columns = (f"{norm} radius", "certified %", "vote under attack %", "single draw, at least %")
    return Table(f"{name}: certificates", columns, lines, _notes(rows))


def _notes(rows: Sequence[Row]) -> list[str]:
    first = rows[0]
    right = [row["radius"] for row in rows if row["predicted"] == row["label"]]
    radii = [row["radius"] if row["predicted"] == row["label"] else 0.0 for row in rows]
    abstained = sum(row["predicted"] is None for row in rows)
    draws = sum(row["num_draws"] for row in rows)
    spread = "standard deviation" if first["norm"] == "l2" else "1 / T"
    largest = guarantee_of(first["norm"], first["scale"]).radius(
        first["alpha"] ** (1 / first["num_estimate"])
    )
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
            f"Sampling stopped at the decision about radius {first['target']:g}; larger radii are not sought."
        )
    if first["norm"] == "l2" and largest < 8 / 255 * math.sqrt(3072):
        notes.append(
            "An l_inf change of eps has an l_2 norm of up to eps * sqrt(number of pixel values); for 32x32 "
            "colour images 1/255, 2/255 and 8/255 are 0.217, 0.435 and 1.739. There no certificate reaches "
            "l_inf 8/255 with this noise and so many draws."
        )
    if len(rows) < 30:
        notes.append("Fewer than 30 images: the intervals are only a rough guide.")
    return notes


def _votes_under_attack(rows: Sequence[Row], attacks: Sequence[Row]) -> dict[float, Estimate]:
    """Radius -> accuracy of the majority vote under the worst l_2 attack on the same images."""
    if rows[0]["norm"] != "l2":
        return {}
    wanted = {row["index"] for row in rows}
    found: dict[float, Estimate] = {}
    for entries in group([row for row in attacks if row["norm"] == "l2" and row["entry"] == WORST]).values():
        same = [row for row in entries if row["index"] in wanted]
        vote = summarise(same).vote if len(same) == len(wanted) else None
        eps = entries[0]["eps"]
        if vote is not None and (eps not in found or vote.value < found[eps].value):
            found[eps] = vote
    return found


@dataclass(frozen=True)
class CertificateSection:
    """What the page shows of certificates that were made alike: a table and a PNG."""

    table: Table
    picture: bytes


def certificate_sections(name: str, rows: Sequence[Row], attacks: Sequence[Row]) -> list[CertificateSection]:
    """Return what the page shows of a run's certificates, a section for each way they were made."""
    return [
        CertificateSection(certificate_table(name, found, attacks), draw_certificates(found, attacks))
        for found in groups_of(rows)
    ]


def draw_certificates(rows: Sequence[Row], attacks: Sequence[Row]) -> bytes:
    """Return a PNG of both sides: what is proven from below, what attacks leave from above."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    target = rows[0]["target"]
    largest = 1.05 * max([row["radius"] for row in rows] + [rows[0]["scale"]]) if target is None else target
    radii = [largest * step / _LAST_POINT for step in range(_LAST_POINT + 1)]
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    certified = [certified_accuracy(rows, radius) for radius in radii]
    low, value, high = ([100 * point[i] for point in certified] for i in (1, 0, 2))
    panel.fill_between(radii, low, high, color=_COLOURS[0], alpha=0.15, linewidth=0)
    panel.plot(radii, value, color=_COLOURS[0], label="majority vote, certified")
    single = [100 * left for left in single_draw_bounds(rows, radii)]
    panel.plot(radii, single, color=_COLOURS[1], linestyle="--", label="single draw, at least")
    attacked = sorted(_votes_under_attack(rows, attacks).items())
    if shown := [(radius, found) for radius, found in attacked if radius <= 2 * largest]:
        places, found = zip(*shown, strict=True)
        below = [100 * (each.value - each.low) for each in found]
        above = [100 * (each.high - each.value) for each in found]
        middle = [100 * each.value for each in found]
        panel.errorbar(
            places,
            middle,
            yerr=(below, above),
            color=_COLOURS[2],
            marker="o",
            capsize=2,
            label="majority vote under attack",
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
