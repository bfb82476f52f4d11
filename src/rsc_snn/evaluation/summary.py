"""From rows to accuracies: pure functions, shared by evaluation, command and report. Needs no torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rsc_snn.evaluation.flags import TOLERATED_SHARE, UNRELIABLE
from rsc_snn.evaluation.intervals import Estimate, estimate
from rsc_snn.evaluation.qte import qte_estimate
from rsc_snn.runs.files import Row

WORST = "worst"
FEW_IMAGES = 30


@dataclass(frozen=True)
class Summary:
    """Accuracies over the images of some rows, each with its 95 % interval.

    Attributes:
        clean: Mean accuracy of a single noise draw on the clean images.
        robust: The same on the adversarial images; None where they were not scored.
        vote: Accuracy of the majority vote over the draws on the adversarial images; ties are wrong.
        num_images: Images, the sampling unit.
    """

    clean: Estimate
    robust: Estimate | None
    vote: Estimate | None
    num_images: int

    @property
    def is_small(self) -> bool:
        """Whether there are too few images for the interval to be trusted."""
        return self.num_images < FEW_IMAGES


def single_draw(counts: Sequence[int], label: int) -> float:
    """Share of the draws that voted for ``label``."""
    return counts[label] / sum(counts)


def majority(counts: Sequence[int], label: int) -> float:
    """1.0 if ``label`` has more votes than every other class, else 0.0."""
    others = (count for k, count in enumerate(counts) if k != label)
    return float(counts[label] > max(others, default=0))


def summarise(rows: Sequence[Row]) -> Summary:
    """Add up the rows of one entry at one eps, a row per image."""
    clean = estimate([single_draw(row["clean_counts"], row["label"]) for row in rows])
    if any(row["adversarial_counts"] is None for row in rows):
        return Summary(clean, None, None, len(rows))
    pairs = [(row["adversarial_counts"], row["label"]) for row in rows]
    return Summary(
        clean,
        estimate([single_draw(*pair) for pair in pairs]),
        estimate([majority(*pair) for pair in pairs]),
        len(rows),
    )


def group_key(row: Row) -> tuple[object, ...]:
    """What all rows of one entry share: everything of the resume key but the image."""
    return tuple(row[name] for name in ("suite", "budget", "seed", "norm", "eps", "entry"))


def group(rows: Iterable[Row]) -> dict[tuple[object, ...], list[Row]]:
    """Collect rows by ``group_key``, in the order of their first appearance, images in order."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(group_key(row), []).append(row)
    return {key: sorted(found, key=lambda row: row["index"]) for key, found in groups.items()}


def worst_of_lists(rows: Iterable[Row]) -> list[Row]:
    """Return a row per image: the worst case over all lists (norm, eps), chosen on held-out draws only."""
    by_image: dict[int, Row] = {}
    for row in rows:
        if row["entry"] != WORST:
            continue
        best = by_image.get(row["index"])
        if best is None or _heldout(row) < _heldout(best):
            by_image[row["index"]] = row
    return [by_image[index] for index in sorted(by_image)]


def why_unreliable(worst: Sequence[Row]) -> list[str]:
    """Return why the worst case of these rows is not a reliable evaluation; for other suites, nothing."""
    return [
        reason
        for flag, reason in UNRELIABLE.items()
        if sum(flag in row["flags"] for row in worst) > TOLERATED_SHARE.get(flag, 0.0) * len(worst)
    ]


def _heldout(row: Row) -> tuple[float, float]:
    return single_draw(row["heldout_counts"], row["label"]), row["heldout_margin"]


def paper_qte(rows: Sequence[Row]) -> Estimate | None:
    """Return the paper's QTE of an entry, between strength 0 (clean) and the rows' eps in 1/255."""
    strength = 255 * rows[0]["eps"]
    if strength == 0 or any(row["adversarial_counts"] is None for row in rows):
        return None
    clean = [single_draw(row["clean_counts"], row["label"]) for row in rows]
    attacked = [single_draw(row["adversarial_counts"], row["label"]) for row in rows]
    return qte_estimate((0.0, strength), (clean, attacked))
