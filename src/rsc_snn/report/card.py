"""The model card of a network of the zoo: Markdown, made of its rows and nothing else. Needs no torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsc_snn.evaluation.flags import NOT_RUN
from rsc_snn.evaluation.intervals import estimate
from rsc_snn.evaluation.summary import WORST, group, majority, summarise, why_unreliable
from rsc_snn.report.card_origin import origin_lines, words_of
from rsc_snn.report.certificates import certificate_table, groups_of
from rsc_snn.report.formats.markdown import markdown_table
from rsc_snn.report.tables import (
    FULL,
    MISSING,
    PAPER,
    RELIABLE,
    Table,
    percent,
    protocol_table,
    strength,
)
from rsc_snn.runs.files import Row, read_environments
from rsc_snn.runs.folder import RunFolder

CLEAN = "clean"
_OF_DATA = {
    "digits": "These are 8x8 digits, made for demonstrations and tests; nothing follows for larger images."
}
_COLUMNS = ("images are", "protocol", "single draw right, %", "majority vote right, %", "images", "draws")
_CLEAN_LINE = re.compile(rf"^\| {CLEAN} \|[^|]*\| ([^|]+) \|[^|]*\| (\d+) \|", re.MULTILINE)


@dataclass(frozen=True)
class Measured:
    """Everything that was measured of a network: the files of its run folder but the weights."""

    spec: dict[str, Any]
    environments: list[dict[str, Any]]
    training: list[Row]
    attacks: list[Row]
    certificates: list[Row]
    audit: list[Row]

    @classmethod
    def of(cls, folder: RunFolder) -> "Measured":
        """Read a run folder, checking every row."""
        return cls(
            folder.read_spec(),
            read_environments(folder.environment),
            folder.epoch_rows(),
            folder.attack_rows(),
            folder.certificate_rows(),
            folder.audit_rows(),
        )


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The file that the numbers are of: its SHA-256 and its bytes."""

    checksum: str
    num_bytes: int


def card(name: str, measured: Measured, weights: Weights, *, rows_at: str) -> str:
    """Return the model card of a network.

    Args:
        name: What ``rs.load`` calls it.
        measured: Its rows; of the suite "paper" there must be some.
        weights: The file with the weights.
        rows_at: Where the rows lie in the checkout.
    """
    blocks = [
        f"# {name}",
        _what(name, measured, weights),
        "## Numbers",
        *_accuracies(measured.attacks),
        *_protocols(measured.attacks),
        *_certificates(measured),
        *_audit(measured.audit),
        "## How it was made",
        "\n".join(
            f"- {line}" for line in origin_lines(measured.spec, measured.environments, measured.training)
        ),
        "## Limits",
        "\n".join(f"- {line}" for line in _limits(measured)),
        "## Files",
        f"SHA-256 of `weights.safetensors`: `{weights.checksum}`; of every file: `SHA256SUMS`, which is "
        f"checked whenever the network is loaded. Rows behind every number: `{rows_at}`; "
        f"`rsc-snn report {rows_at}` shows them.",
    ]
    return "\n\n".join(blocks) + "\n"


def clean_words(text: str) -> str:
    """Return what a card says about clean images: "clean 83.6 [79.4, 87.1] % of 355 images"."""
    found = _CLEAN_LINE.search(text)
    return f"clean {found[1]} % of {found[2]} images" if found else "no clean accuracy"


def _what(name: str, measured: Measured, weights: Weights) -> str:
    known = measured.spec["classifier"]
    blueprint = known["blueprint"]
    channels, height, width = blueprint["image_shape"]
    num_classes, data = blueprint["num_classes"], measured.spec.get("data")
    return "\n".join(
        [
            f"`{words_of(blueprint['network'])}` with neurons `{words_of(blueprint['neuron'])}`, coding "
            f"`{words_of(known['coding'])}` and T = {known['num_steps']}, for the data set `{data}`. "
            f"Matrices and kernels are stored in half precision ({weights.num_bytes / 1e6:.2f} MB) and "
            "loaded as float32; every number below was measured with these stored weights.",
            "",
            "```python",
            "import rsc_snn as rs",
            "",
            f'classifier = rs.load("{name}")',
            f"# images in [0, 1] [B, {channels}, {height}, {width}] -> logits [B, {num_classes}]",
            "```",
        ]
    )


def _accuracies(rows: Sequence[Row]) -> list[str]:
    found = [rows for rows in group(rows).values() if _is_shown(rows[0])]
    papers = [rows for rows in found if rows[0]["suite"] == PAPER]
    clean = max(papers, key=len)
    lines = [_line(CLEAN, MISSING, clean, "clean_counts"), *map(_attacked, found)]
    words = (
        "In brackets 95 % Wilson intervals over images. Scoring draws were seen by no attack. Protocol "
        "*paper* is what the paper's tables claim; *reliable* is the worst of a fixed list of attacks per "
        "image, ranked on held-out draws. Lines are of the first so many test images."
    )
    return [markdown_table(Table("", _COLUMNS, lines)), words]


def _is_shown(row: Row) -> bool:
    """Of the suite "paper" its entries, of "reliable" the worst case, which alone is scored."""
    return bool((row["suite"], row["entry"] == WORST) in ((PAPER, False), (RELIABLE, True)))


def _attacked(rows: Sequence[Row]) -> list[str]:
    row = rows[0]
    name = "worst of the list" if row["entry"] == WORST else row["entry"]
    return _line(
        f"attacked: {name}, {row['norm']} {strength(row['eps'], row['norm'])}",
        _protocol(rows),
        rows,
        "adversarial_counts",
    )


def _protocol(rows: Sequence[Row]) -> str:
    reasons = why_unreliable(rows)
    budget = "" if rows[0]["budget"] == FULL else f", budget {rows[0]['budget']}"
    seed = f", seed {rows[0]['seed']}" if rows[0]["seed"] else ""
    return f"{rows[0]['suite']}{budget}{seed}{': NOT reliable' if reasons else ''}"


def _line(what: str, protocol: str, rows: Sequence[Row], counts: str) -> list[str]:
    summary = summarise(rows)
    draws = max(row["num_draws"] for row in rows)
    single = summary.clean if counts == "clean_counts" else summary.robust
    vote = estimate([majority(row[counts], row["label"]) for row in rows]) if draws > 1 else None
    return [what, protocol, percent(single), percent(vote), str(len(rows)), str(draws)]


def _protocols(rows: Sequence[Row]) -> list[str]:
    """Both protocols on the images that both have, where there are such at 8/255."""
    table = protocol_table({"": rows})
    if table is None:
        return []
    shared = Table("", table.columns[1:-1], [line[1:-1] for line in table.rows])  # the network; its audit
    return [f"### {table.title}", markdown_table(shared)]


def _certificates(measured: Measured) -> list[str]:
    blocks = []
    for found in groups_of(measured.certificates):
        table = certificate_table("", found, measured.attacks)
        blocks += ["### Certificates of the majority vote", markdown_table(table), " ".join(table.notes)]
    return blocks


def _audit(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    first = rows[0]
    lines = [
        [row["title"], row["verdict"], *(_number(row[name]) for name in ("value", "threshold"))]
        for row in rows
    ]
    words = (
        f"`rsc-snn audit` with budget {first['budget']} on {first['num_images']} images, l_inf "
        f"{strength(first['eps'], 'linf')}, {first['num_draws']} draws, seed {first['seed']}; what the "
        "checks mean: docs/audit.md."
    )
    table = Table("", ("check", "verdict", "value", "limit"), lines)
    return ["### Audit: is this robustness real?", markdown_table(table), words]


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"


def _limits(measured: Measured) -> list[str]:
    shown = [rows for rows in group(measured.attacks).values() if _is_shown(rows[0])]
    norms = dict.fromkeys(f"{rows[0]['norm']} {strength(rows[0]['eps'], rows[0]['norm'])}" for rows in shown)
    reliable = [rows for rows in shown if rows[0]["suite"] == RELIABLE]
    lines = [
        "One training with one seed: the intervals are over test images, not over trainings.",
        f"Attacked at {', '.join(norms)} only, by the lists named above. What an attack leaves is an upper "
        "bound of the true robust accuracy.",
    ]
    if not reliable:
        lines.append("Protocol *reliable* was not run: no number here is what a determined attacker leaves.")
    for rows in reliable:
        if reasons := why_unreliable(rows):
            lines.append(f"The number of protocol *reliable* is not reliable: {'; '.join(reasons)}.")
    if any(NOT_RUN in row["flags"] for row in measured.attacks):
        lines.append("Transfer from other networks was not run.")
    if any(len(rows) < 30 for rows in [*shown, *groups_of(measured.certificates)]):
        lines.append("Fewer than 30 images somewhere above: such an interval is only a rough guide.")
    lines.append(
        "Certificates are of the majority vote over many draws, unless a column says single draw."
        if measured.certificates
        else "Nothing is certified."
    )
    if (data := measured.spec.get("data")) in _OF_DATA:
        lines.append(_OF_DATA[data])
    return lines
