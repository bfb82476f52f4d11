"""From rows per seed to a number with its interval: images are the sampling unit. Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from rsc_snn.evaluation.intervals import Estimate, wilson
from rsc_snn.evaluation.qte import qte
from rsc_snn.evaluation.summary import majority, single_draw
from rsc_snn.runs.files import Row

PerImage = Mapping[int, float]


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval over images.

    Attributes:
        estimate: Mean over images of the mean over seeds; an accuracy as a fraction, or a QTE.
        num_images: Images that every seed has, the sampling unit.
        seed_values: The same number of each seed.
        unit: Largest value there can be: 1 for accuracies, the range of strengths for a QTE.
    """

    estimate: Estimate
    num_images: int
    seed_values: tuple[float, ...]
    unit: float = 1.0

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds; None for a single one."""
        return stdev(self.seed_values) if len(self.seed_values) > 1 else None


@dataclass(frozen=True)
class Quantity:
    """What rows of one seed say of each image.

    Attributes:
        share: Value per image, divided by its range: within [0, 1].
        unit: The range, from a row.
        is_attacked: Whether the rows must hold scores of attacked images.
    """

    share: Callable[[Row], float]
    unit: Callable[[Row], float] = lambda row: 1.0
    is_attacked: bool = True

    def per_image(self, rows: Sequence[Row]) -> dict[int, float] | None:
        """Return image -> share; None where an image was not scored."""
        if not rows or (self.is_attacked and any(row["adversarial_counts"] is None for row in rows)):
            return None
        return {row["index"]: self.share(row) for row in rows}

    def measure(self, seeds: Sequence[Sequence[Row]]) -> Measured | None:
        """Return the number over the seeds' rows; None if there are none or they were not scored."""
        found = [self.per_image(rows) for rows in seeds]
        columns = [column for column in found if column is not None]
        if not columns or len(columns) < len(found):
            return None
        return over_seeds(columns, self.unit(seeds[0][0]))


def clean_share(row: Row) -> float:
    """Share of the scoring draws that are right on the clean image."""
    return single_draw(row["clean_counts"], row["label"])


def robust_share(row: Row) -> float:
    """Share of the scoring draws that are right on the attacked image."""
    return single_draw(row["adversarial_counts"], row["label"])


def vote_share(row: Row) -> float:
    """1 if the majority of the scoring draws is right on the attacked image, else 0."""
    return majority(row["adversarial_counts"], row["label"])


def _qte_share(row: Row) -> float:
    return (clean_share(row) + robust_share(row)) / 2


CLEAN = Quantity(clean_share, is_attacked=False)
ROBUST = Quantity(robust_share)
VOTE = Quantity(vote_share)
QTE = Quantity(_qte_share, unit=lambda row: 255 * row["eps"])


def over_seeds(columns: Sequence[PerImage], unit: float = 1.0) -> Measured | None:
    """Return the mean over images of per-image means over seeds, with Wilson's interval over images.

    The interval says what other test images would give for the networks at hand; what other training runs
    would give is said by ``Measured.spread``.

    Args:
        columns: Image -> share in [0, 1], one per seed; images that a seed lacks are left out.
        unit: Range of the quantity; shares are multiplied by it.

    Returns:
        None where no image is in every seed.
    """
    shared = sorted(set.intersection(*(set(column) for column in columns))) if columns else []
    if not shared:
        return None
    columns = [{index: column[index] for index in shared} for column in columns]
    means = [fmean(values) for values in zip(*(column.values() for column in columns), strict=True)]
    value = Estimate(*(unit * part for part in wilson(fmean(means), len(means))))
    seeds = tuple(unit * fmean(column.values()) for column in columns)
    return Measured(value, len(shared), seeds, unit)


def qte_over_strengths(
    attacked: Mapping[float, Mapping[str, Sequence[Row]]], strengths: Sequence[float]
) -> Measured | None:
    """Return the QTE by trapezoids over several strengths, with its interval over images.

    Args:
        attacked: Strength in 1/255 -> network -> rows of one attack at it; 0 is read off the clean images.
            Networks that lack a strength are left out.
        strengths: In 1/255, rising, 0 first.

    Returns:
        None where no network has every strength, or one was not scored.
    """
    runs = set.intersection(*(set(attacked.get(strength, ())) for strength in strengths[1:]))
    span = strengths[-1] - strengths[0]
    columns: list[dict[int, float]] = []
    for run in sorted(runs):
        clean = CLEAN.per_image(attacked[strengths[1]][run])
        robust = [ROBUST.per_image(attacked[strength][run]) for strength in strengths[1:]]
        curves = [column for column in (clean, *robust) if column is not None]
        if len(curves) < len(strengths):
            return None
        shared = set.intersection(*(set(curve) for curve in curves))
        columns.append({i: qte(strengths, [curve[i] for curve in curves]) / span for i in sorted(shared)})
    return over_seeds(columns, span)
