"""Tables as plain data: from rows to cells of text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rsc_snn.evaluation.flags import ABSENT, NOT_APPLICABLE, NOT_RUN, UNRELIABLE
from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.evaluation.summary import WORST, Summary, group, paper_qte, summarise, why_unreliable
from rsc_snn.report.audits import audit_flags
from rsc_snn.runs.files import Row
from rsc_snn.runs.schema import VALIDATION

MISSING = "-"
PAPER, RELIABLE = "paper", "reliable"
FULL = "full"


@dataclass(frozen=True)
class Table:
    """Cells of text under column heads, with notes below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)


def percent(estimate: Estimate | None) -> str:
    """An accuracy in percent with its interval: 83.4 [74.8, 89.4]."""
    if estimate is None:
        return MISSING
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def number(estimate: Estimate | None) -> str:
    """A QTE with its interval: 5.26 [4.91, 5.60]."""
    if estimate is None:
        return MISSING
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def strength(eps: float, norm: str) -> str:
    """An eps as people write it: 8/255 in l_inf, a decimal in l_2."""
    shown = 255 * eps
    if norm == "linf" and abs(shown - round(shown, 2)) < 1e-6:
        return f"{round(shown, 2):g}/255"
    return f"{eps:.4g}"


def attack_table(name: str, rows: Sequence[Row]) -> Table:
    """One run: a line per entry and eps, the judge's worst case last in its list."""
    lines: list[list[str]] = []
    groups = list(group(rows).values())
    is_mixed = len({(found[0]["suite"], found[0]["budget"], found[0]["seed"]) for found in groups}) > 1
    for found in groups:
        row, summary = found[0], summarise(found)
        origin = row["suite"] if row["budget"] == FULL else f"{row['suite']} {row['budget']}"
        source = f" ({origin}, seed {row['seed']})" if is_mixed else ""
        lines.append(
            [
                (worst_name(found) if row["entry"] == WORST else row["entry"]) + source,
                row["norm"],
                strength(row["eps"], row["norm"]),
                percent(summary.clean),
                _outcome(found) if summary.robust is None else percent(summary.robust),
                percent(summary.vote),
                number(paper_qte(found)) if row["norm"] == "linf" else MISSING,
            ]
        )
    columns = ("attack", "norm", "eps", "clean %", "robust %", "majority vote %", "QTE")
    return Table(name, columns, lines, [*_notes(groups), *_winners(groups)])


def worst_name(worst: Sequence[Row]) -> str:
    """What the worst case of a list is called: with the label that the suite "reliable" has earned or not."""
    if worst[0]["suite"] != RELIABLE:
        return "worst case"
    return "worst case, NOT reliable" if why_unreliable(worst) else "worst case, reliable"


def _outcome(found: Sequence[Row]) -> str:
    """Why an entry has no score."""
    flags = [next((flag for flag in row["flags"] if flag in ABSENT), None) for row in found]
    for flag in (NOT_APPLICABLE, NOT_RUN):
        if flag in flags:
            return flag.replace("-", " ")
    num_attacked = sum(flag is None for flag in flags)
    return f"ranked on {num_attacked} of {len(found)}"


def _winners(groups: Sequence[Sequence[Row]]) -> list[str]:
    """Say which entries the worst case of a suite that scores nothing else came from."""
    notes = []
    for found in groups:
        if found[0]["entry"] != WORST or found[0]["suite"] != RELIABLE:
            continue
        counts = Counter(row["winner"] for row in found)
        named = ", ".join(f"{winner} {count}" for winner, count in counts.most_common())
        eps = strength(found[0]["eps"], found[0]["norm"])
        reasons = why_unreliable(found)
        label = f" Not reliable: {'; '.join(reasons)}." if reasons else ""
        notes.append(
            f"Suite reliable, {found[0]['norm']}, eps {eps}, number of images by their worst case: {named}. "
            f"Entries are ranked on held-out draws; only the worst case is scored.{label}"
        )
    return notes


def protocol_table(
    runs: Mapping[str, Sequence[Row]],
    audits: Mapping[str, Sequence[Row]] = MappingProxyType({}),
    *,
    eps: float = 8 / 255,
) -> Table | None:
    """Both protocols side by side, l_inf; None unless some run has rows of the suite "reliable".

    Args:
        runs: Rows of each run by its name.
        audits: Rows of the audits of the runs that have one.
        eps: The strength to show.
    """
    lines: list[list[str]] = []
    groups: list[list[Row]] = []
    for name, rows in runs.items():
        listed = [row for row in rows if row["norm"] == "linf" and row["eps"] == eps]
        worst = of_suite([row for row in listed if row["entry"] == WORST], RELIABLE)
        if not worst:
            continue
        shared = {row["index"] for row in worst}
        before = [row for row in of_suite(listed, PAPER) if row["index"] in shared]
        entries = [[row for row in before if row["entry"] == attack] for attack in ("FGSM", "PGD")]
        groups += [found for found in (*entries, worst) if found]
        paper = [summarise(found).robust if len(found) == len(worst) else None for found in entries]
        summary = summarise(worst)
        lines.append(
            [
                name,
                str(len(worst)),
                percent(summary.clean),
                *(percent(robust) for robust in paper),
                percent(summary.robust),
                percent(summary.vote),
                "; ".join(why_unreliable(worst)) or "reliable",
                audit_flags(audits.get(name, ())),
            ]
        )
    if not lines:
        return None
    title = f"Both protocols on the same images, l_inf, eps {strength(eps, 'linf')}"
    columns = (
        *("network", "images", "clean %", "paper: FGSM %", "paper: PGD %"),
        *("reliable: worst %", "its vote %", "label", "audit"),
    )
    return Table(title, columns, lines, _notes(groups, is_shared=False))


def of_suite(rows: Sequence[Row], suite: str) -> list[Row]:
    """Rows of a suite under the best budget there is, and its lowest seed."""
    found = [row for row in rows if row["suite"] == suite]
    if not found:
        return []
    budget, seed = min((row["budget"] != FULL, row["seed"]) for row in found)
    return [row for row in found if (row["budget"] != FULL, row["seed"]) == (budget, seed)]


def paper_table(runs: Mapping[str, Sequence[Row]], *, eps: float | None = None) -> Table | None:
    """Several runs side by side under FGSM and PGD, as in the paper's Table 3; None without such rows.

    Args:
        runs: Rows of each run by its name.
        eps: The strength to show; None takes 8/255 if every run has it, else the largest in common.
    """
    runs = {name: main_list(rows) for name, rows in runs.items()}
    chosen = _common_strength(runs) if eps is None else eps
    lines: list[list[str]] = []
    groups: list[list[Row]] = []
    for name, rows in runs.items():
        found = {attack: _entry_rows(rows, attack, chosen) for attack in ("FGSM", "PGD")}
        if not any(found.values()):
            continue
        present = [entry for entry in found.values() if entry]
        groups += present
        summaries = {attack: summarise(entry) for attack, entry in found.items() if entry}
        qtes = {attack: paper_qte(entry) for attack, entry in found.items() if entry}
        first: Summary = next(iter(summaries.values()))
        robust = [percent(summaries[a].robust) if a in summaries else MISSING for a in found]
        lines.append([name, percent(first.clean), *robust, *(number(qtes.get(a)) for a in found)])
    if not lines or chosen is None:
        return None
    title = f"Accuracy under FGSM and PGD, l_inf, eps {strength(chosen, 'linf')}"
    columns = ("network", "clean %", "FGSM %", "PGD %", "F-QTE", "P-QTE")
    return Table(title, columns, lines, [*_notes(groups), *_other_settings(groups)])


def _other_settings(groups: Sequence[Sequence[Row]]) -> list[str]:
    """Say which entries are not the paper's own FGSM and PGD."""
    names = dict.fromkeys(found[0]["entry"] for found in groups)
    return [f"{name.split('(')[0]} is {name}, not the paper's." for name in names if "(" in name]


def main_list(rows: Sequence[Row]) -> list[Row]:
    """Return the l_inf rows that stand for a run in comparisons: one suite and one seed.

    The suite "paper" if there is one, else that with the most images; of these the lowest seed.
    """
    linf = [row for row in rows if row["norm"] == "linf"]
    sizes: dict[tuple[str, int], set[int]] = {}
    for row in linf:
        sizes.setdefault((row["suite"], row["seed"]), set()).add(row["index"])
    if not sizes:
        return []
    chosen = min(sizes, key=lambda key: (key[0] != PAPER, -len(sizes[key]), key[1], key[0]))
    return [row for row in linf if (row["suite"], row["seed"]) == chosen]


def _entry_rows(rows: Sequence[Row], attack: str, eps: float | None) -> list[Row]:
    """Rows of an attack at ``eps``, by its plain name or with other settings."""
    for found in group(rows).values():
        name = found[0]["entry"]
        if (name == attack or name.startswith(f"{attack}(")) and found[0]["eps"] == eps:
            return found
    return []


def _common_strength(runs: Mapping[str, Sequence[Row]]) -> float | None:
    sets = [{row["eps"] for row in rows} for rows in runs.values() if rows]
    common = set[float].intersection(*sets) if sets else set[float]()
    if 8 / 255 in common:
        return 8 / 255
    return max(common, default=None)


def _notes(groups: Sequence[Sequence[Row]], *, is_shared: bool = True) -> list[str]:
    if not groups:
        return []
    sizes = sorted({len(found) for found in groups})
    draws = sorted({row["num_draws"] for found in groups for row in found})
    images = {frozenset(row["index"] for row in found) for found in groups}
    is_held_back = any(row.get("split") == VALIDATION for found in groups for row in found)
    notes = [
        f"{'Validation' if is_held_back else 'Test'} images: {_span(sizes)}; scoring draws per image: "
        f"{_span(draws)}, none seen by an attack. In brackets 95 % Wilson intervals over images. Accuracies "
        "are of a single noise draw unless they say vote."
    ]
    if len(images) > 1 and is_shared:
        notes.append("Warning: the lines are not over the same images.")
    if min(sizes) < 30:
        notes.append("Fewer than 30 images: the intervals are only a rough guide.")
    explained = {*ABSENT, *UNRELIABLE}
    flags = sorted({flag for found in groups for row in found for flag in row["flags"]} - explained)
    for flag in flags:
        share = max(sum(flag in row["flags"] for row in found) / len(found) for found in groups if len(found))
        notes.append(f"Warning: up to {100 * share:.1f} % of an entry's images are flagged {flag!r}.")
    return notes


def _span(values: Sequence[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"
