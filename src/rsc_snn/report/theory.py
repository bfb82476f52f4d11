"""Section 3.3 as the report shows it: the theorems' tables and both parts of Figure 2. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.report.sections import Section
from rsc_snn.report.tables import MISSING, Table
from rsc_snn.report.theory_pictures import coded_images_picture, similarity_picture
from rsc_snn.runs.files import Row
from rsc_snn.runs.theory_schema import CHANGES, CLAMP, COVARIANCE, DATA, SIMILARITY, VERDICTS

MAIN_VARIANCE = "0.1"
_CLAIMS = {
    "theorem-3.2": "3.2, Poisson",
    "theorem-3.3": "3.3, no clamp",
    "clamped-moments": "closed form, clamp",
    "change-poisson": "change, Poisson",
    "change-unclamped": "change, no clamp",
    "change-clamped": "change, clamp",
    "over-steps-poisson": "over T, Poisson",
    "over-steps-rsc-ii": "over T, RSC-II",
    "over-steps-rsc-i": "over T, RSC-I",
    CLAMP: "3.3 with the clamp",
}
_OVER_STEPS = tuple(name for name in _CLAIMS if name.startswith("over-steps"))


def theory_sections(rows: Sequence[Row], images_path: Path | None) -> list[Section]:
    """Return what a page shows of theory.jsonl and theory-images.safetensors; nothing of no rows.

    Args:
        rows: Checked rows of theory.jsonl.
        images_path: The pictures; None, or a file that is not there, leaves them away.
    """
    sections = []
    similar = [row for row in rows if row["part"] == SIMILARITY]
    if similar:
        pictures = [coded_images_picture(images_path)] if images_path and images_path.is_file() else []
        chart = similarity_picture(main_similarities(similar))
        tables = [table for table in (similarity_table(rows), variance_table(rows)) if table]
        title = "Figure 2: images coded by randomized smoothing and by Poisson coding"
        words = (
            "Observation 3.5 calls the two codings equivalent because coded images have a high cosine "
            "similarity. Pixels are not negative, so that two different images have one too: the control. "
            "Centred, each coded image minus its own mean, only the pattern counts.",
            *_controls_in_words(similar),
        )
        shown = [*pictures, *([chart] if chart else [])]
        sections.append(Section(title, words, tables, shown, notes=_data_notes(similar)))
    if any(row["part"] == COVARIANCE for row in rows):
        words = (
            "Covariances of a linear layer's outputs, sampled from the codings, beside the formulas. A claim "
            "passes when every entry of every mean and covariance lies within five standard errors.",
        )
        tables = _covariance_tables(rows)
        sections.append(Section("Theorems 3.2 and 3.3, and what the clamp makes of them", words, tables))
    return sections


def _controls_in_words(rows: Sequence[Row]) -> list[str]:
    """A sentence per kind of cosine: what one image has in both codings, and what two images have."""
    sentences = []
    for is_centred, kind in ((False, "Uncentred"), (True, "Centred")):
        found = [
            f"{row['value']:.2f} ({row['subject']}; two different images {row['details']['control'][0]:.2f})"
            for row in _similarities(rows)
            if row["details"]["is_centred"] is is_centred
            and row["details"]["time"] == "one step"
            and (row["details"]["first"], row["details"]["second"]) == (f"RSC {MAIN_VARIANCE}", "Poisson")
        ]
        if found:
            sentences.append(
                f"{kind}, of one step, RSC {MAIN_VARIANCE} and Poisson coding of one image have "
                f"{', '.join(found)}."
            )
    return sentences


def theory_tables(rows: Sequence[Row]) -> list[Table]:
    """Return every table that the rows allow, the theorems first."""
    similar = (similarity_table(rows), variance_table(rows))
    return [*_covariance_tables(rows), *(table for table in similar if table)]


def _covariance_tables(rows: Sequence[Row]) -> list[Table]:
    tables = (claims_table(rows), changes_table(rows), clamp_table(rows), steps_table(rows))
    return [table for table in tables if table]


def claims_table(rows: Sequence[Row]) -> Table | None:
    """A line per claim: its worst difference over all layers; None without such rows."""
    lines = []
    num_entries, chance = 0, 0.0
    for claim, label in _CLAIMS.items():
        found = _of_claim(rows, claim)
        if not found:
            continue
        verdict = max((row["verdict"] for row in found), key=VERDICTS.index)
        values = [row["value"] for row in found]
        is_refuted = claim == CLAMP
        shown = min(values) if is_refuted else max(values)
        entries = sum(row["details"]["entries"] for row in found)
        if not is_refuted:
            num_entries += entries
            chance += sum(row["details"]["chance"] for row in found)
        limit = f"above {found[0]['threshold']:g}" if is_refuted else f"at most {found[0]['threshold']:g}"
        lines.append([label, str(len(found)), str(entries), f"{shown:.2f}", limit, verdict])
    if not lines:
        return None
    columns = ("claim", "layers", "entries", "largest difference, standard errors", "must be", "verdict")
    notes = [
        f"{num_entries} entries must lie within five standard errors. Were all estimates normal and all "
        f"claims true, at least one would miss with a probability of at most {min(chance, 1):.1g}.",
        "3.3 with the clamp is what does not hold: the least of the layers' largest differences is shown.",
    ]
    return Table("Claims of Section 3.3 beside samples", columns, lines, notes)


def changes_table(rows: Sequence[Row]) -> Table | None:
    """A line per layer and attack: how much of its covariance changes; None without such rows."""
    cases: dict[tuple[str, str], dict[str, Row]] = {}
    for claim in CHANGES:
        for row in _of_claim(rows, claim):
            for case in row["details"]["cases"]:
                cases.setdefault((row["subject"], case["case"]), {})[claim] = case
    if not cases:
        return None
    lines = [
        [
            subject,
            attack,
            *(
                f"{100 * found[claim]['relative_change']:.2f} ({found[claim]['from_zero']:.1f})"
                if claim in found
                else MISSING
                for claim in CHANGES
            ),
        ]
        for (subject, attack), found in cases.items()
    ]
    columns = ("layer", "attack", "Poisson, %", "noise without clamp, %", "RSC with its clamp, %")
    notes = [
        "Change of the covariance by the attack, as the formulas have it: Frobenius norm of the difference, "
        "of that before. In brackets the largest measured difference of an entry from no change at all, in "
        "standard errors."
    ]
    return Table("How much an attack changes the covariance", columns, lines, notes)


def clamp_table(rows: Sequence[Row]) -> Table | None:
    """A line per layer: what the clamp does to mean and variance of a pixel; None without such rows."""
    lines = []
    for row in _of_claim(rows, CLAMP):
        facts = row["details"]
        ratios = f"{facts['lowest_variance_ratio']:.3f} to {facts['highest_variance_ratio']:.3f}"
        bias = f"{facts['largest_bias']:.3f}"
        shift = f"{facts['largest_shift']:.3f}"
        lines.append([row["subject"], f"{facts['variance']:g}", bias, shift, ratios, f"{row['value']:.0f}"])
    columns = (
        *("layer", "s^2", "largest |E[X] - x|", "of an output, measured", "variance of a pixel, of s^2"),
        "difference from Theorem 3.3, standard errors",
    )
    return Table("What the clamp does", columns, lines) if lines else None


def steps_table(rows: Sequence[Row]) -> Table | None:
    """A line per layer and coding: the covariance of the mean over T steps; None without such rows."""
    lines = [
        [row["subject"], name, "; ".join(f"T={x:g}: {y:.3f}" for x, y, _, _ in points)]
        for claim in _OVER_STEPS
        for row in _of_claim(rows, claim)
        for name, points in row["curve"].items()
    ]
    columns = ("layer", "coding", "trace of the covariance of the mean over T, of that of one step")
    return Table("Covariance of the mean over time", columns, lines) if lines else None


def similarity_table(rows: Sequence[Row]) -> Table | None:
    """The similarities at the variance of the paper's main method; None without such rows."""
    return _similarity_table("Cosine similarity of coded images", main_similarities(rows), rows)


def variance_table(rows: Sequence[Row]) -> Table | None:
    """RSC beside Poisson coding, one step, at every variance; None without such rows."""
    found = [
        row
        for row in _similarities(rows)
        if row["details"]["time"] == "one step"
        and row["details"]["second"] == "Poisson"
        and row["details"]["first"] != f"RSC {MAIN_VARIANCE}"
    ]
    return _similarity_table("At the other variances", found, rows)


def main_similarities(rows: Sequence[Row]) -> list[Row]:
    """Return the similarities without noise, of Poisson coding, and of RSC at variance 0.1."""
    return [
        row
        for row in _similarities(rows)
        if not row["details"]["first"].startswith("RSC")
        or row["details"]["first"].split(" ")[-1] == MAIN_VARIANCE
    ]


def _similarities(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["part"] == SIMILARITY and "control" in row["details"]]


def _similarity_table(title: str, chosen: Sequence[Row], rows: Sequence[Row]) -> Table | None:
    pairs: dict[tuple[str, ...], dict[bool, Row]] = {}
    for row in chosen:
        facts = row["details"]
        key = (row["subject"], facts["time"], f"{facts['first']} - {facts['second']}")
        pairs.setdefault(key, {})[facts["is_centred"]] = row
    lines = [
        [*key, *(_cell(found.get(kind), which) for kind in (False, True) for which in ("same", "control"))]
        for key, found in pairs.items()
    ]
    columns = ("images", "time", "codings", "cosine", "different image", "centred cosine", "different image")
    return Table(title, columns, lines, _data_notes(rows)) if lines else None


def _cell(row: Row | None, which: str) -> str:
    if row is None:
        return MISSING
    facts = row["details"]
    value, low, high = (row["value"], *facts["interval"]) if which == "same" else facts["control"]
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _data_notes(rows: Sequence[Row]) -> list[str]:
    notes = [
        "Means over images with Student's 95 % intervals. Different image: the control, means over pairs of "
        "images that follow each other in the set, each image in one pair only. Centred: each coded image "
        "minus its own mean over all its values."
    ]
    for row in rows:
        if row["name"] == DATA:
            counts = ", ".join(f"{name} {count}" for name, count in row["details"]["present"].items())
            missing = ", ".join(row["details"]["missing"])
            notes.append(f"Test images: {counts}." + (f" Not there: {missing}." if missing else ""))
    return notes


def _of_claim(rows: Sequence[Row], claim: str) -> list[Row]:
    return [row for row in rows if row["part"] == COVARIANCE and row["name"].startswith(f"{claim}: ")]
