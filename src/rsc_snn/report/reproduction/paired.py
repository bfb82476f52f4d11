"""Differences on the same images: between networks of the same seeds, or attacks on one. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from rsc_snn.evaluation.differences import MeanDifference, mean_difference
from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.report.comparison import EXTENDED, signed_difference
from rsc_snn.report.reproduction.cells import NO_COMMON
from rsc_snn.report.reproduction.compared import UNSCORED
from rsc_snn.report.reproduction.measured import Quantity
from rsc_snn.report.reproduction.reading import INCOMPLETE, Sample

EXTENDED_NOTE = (
    f"{EXTENDED} Few images, or few on which the two differ: the interval reaches further than Student's, as "
    "if two more images were right in the first alone, and two in the second alone."
)
FEW_NOTE = f"Fewer than {FEW_IMAGES} images behind some numbers: their intervals are only a rough guide."
_Array = np.ndarray


@dataclass(frozen=True)
class Shared:
    """Values of several samples on the seeds and images that all of them have.

    Attributes:
        images: Their indices, rising.
        seeds: Of the networks.
        values: [samples, seeds, images] in [0, 1].
    """

    images: Sequence[int]
    seeds: Sequence[int]
    values: _Array

    @property
    def means(self) -> _Array:
        """[samples, images], over the seeds."""
        return np.asarray(self.values.mean(axis=1))


def shared(wanted: Sequence[tuple[Quantity, Sample]]) -> Shared | None:
    """Return what samples have in common, a network being known by its seed; None where that is nothing.

    Args:
        wanted: What is read off each sample. A sample that was not scored has nothing.
    """
    found = [_columns(quantity, sample) for quantity, sample in wanted]
    seeds = sorted(set.intersection(*(set(columns) for columns in found)))
    images = [set(columns[seed]) for columns in found for seed in seeds]
    common = sorted(set.intersection(*images)) if images else []
    if not common:
        return None
    values = [[[columns[seed][index] for index in common] for seed in seeds] for columns in found]
    return Shared(common, seeds, np.asarray(values, dtype=np.float64))


def _columns(quantity: Quantity, sample: Sample) -> Mapping[int, Mapping[int, float]]:
    """Seed -> image -> value."""
    found = {rows[0]["seed"]: quantity.per_image(rows) for rows in sample.seeds}
    return {seed: column for seed, column in found.items() if column is not None}


@dataclass(frozen=True)
class Difference:
    """First minus second.

    Attributes:
        mean: With its interval over images.
        num_images: Behind it.
        num_seeds: Pairs of networks behind it.
        spread: Standard deviation over those pairs; None for one.
    """

    mean: MeanDifference
    num_images: int
    num_seeds: int
    spread: float | None


def paired_difference(quantity: Quantity, first: Sample, second: Sample) -> Difference | None:
    """Return first minus second over the images and seeds of both; None where nothing is in common."""
    common = shared([(quantity, first), (quantity, second)])
    if common is None:
        return None
    gaps = common.values[0] - common.values[1]
    by_seed = [fmean(row) for row in gaps]
    spread = stdev(by_seed) if len(by_seed) > 1 else None
    return Difference(mean_difference(gaps.mean(axis=0).tolist()), len(common.images), len(by_seed), spread)


def difference_text(quantity: Quantity, first: Sample, second: Sample) -> str:
    """First minus second as a cell: +1.2 [+0.1, +2.3]*, with what is missing and what must be doubted."""
    for sample in (first, second):
        if not sample.seeds:
            return sample.gap
        if sample.measure(quantity) is None:
            return UNSCORED
    found = paired_difference(quantity, first, second)
    if found is None:
        return NO_COMMON
    asked = max(first.num_asked, second.num_asked)
    largest = max(len(rows) for sample in (first, second) for rows in sample.seeds)
    doubts = dict.fromkeys((*first.doubts, *second.doubts)) if quantity.is_attacked else ()
    notes = [
        *([f"sd over {found.num_seeds} seeds {100 * found.spread:.1f}"] if found.spread is not None else []),
        *([f"{found.num_seeds} of {asked} seeds"] if found.num_seeds < asked else []),
        *([INCOMPLETE] if INCOMPLETE in (*first.gaps, *second.gaps) else []),
        *([f"on {found.num_images:,} images"] if found.num_images < largest else []),
        *(f"not reliable: {reason}" for reason in doubts),
    ]
    return ", ".join([signed_difference(found.mean), *notes])


def has_extended(cells: Sequence[Sequence[str]]) -> bool:
    """Whether some cell carries the mark of an interval that was extended."""
    return any(f"]{EXTENDED}" in cell for row in cells for cell in row)
