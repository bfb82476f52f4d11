"""Measured minus paper with both sampling errors, and what follows from it. Needs no torch.

The paper gives accuracies over its test set, so that each has the sampling error of a proportion over that
many images; its rounding to two decimals (0.005 points, against about a point of sampling error) is
neglected. Both accuracies are over the same test images as a rule, which makes their errors alike and the
true interval shorter: treating them as independent is on the safe side.

What another training would give is in the interval only as far as several seeds show it. With one seed it is
not in it at all, and that of the paper's side never is: the paper gives no number of trainings.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import stdev

from rsc_snn.evaluation.differences import t_quantile
from rsc_snn.evaluation.intervals import Estimate, wilson
from rsc_snn.report.reproduction.measured import Measured

MARGIN = 2.0  # points


class Verdict(StrEnum):
    """What the interval of measured minus paper says."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    INCONCLUSIVE = "inconclusive"


def newcombe(first: Estimate, second: Estimate) -> Estimate:
    """Return first minus second with the hybrid score interval [Newcombe, Statistics in Medicine 1998].

    Args:
        first: A proportion with its Wilson interval.
        second: An independent one.
    """
    difference = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(difference, difference - below, difference + above)


def seed_half_width(values: Sequence[float]) -> float:
    """Half of the 95 % interval (Student t) of a mean over seeds; 0 for one seed, which shows no spread."""
    if len(values) < 2:
        return 0.0
    return t_quantile(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values))


def widened(estimate: Estimate, half: float) -> Estimate:
    """Return an interval with an independent error added to each side, as a root sum of squares."""
    value, low, high = estimate
    return Estimate(value, value - math.hypot(value - low, half), value + math.hypot(high - value, half))


def difference(measured: Measured, paper: float, paper_images: int) -> Estimate:
    """Return measured minus paper in points, with a 95 % interval of both sampling errors.

    Newcombe's interval for two independent proportions: measured with its images, the paper with its test
    set. Several seeds add the spread of the training: each side is widened by the half-width of the mean
    over seeds; one seed adds nothing. The spread of the paper's own training is unknown and not included.
    A QTE is treated as its share of the range: a point is a hundredth of the range.

    Args:
        measured: An accuracy, or a QTE from 0.
        paper: The paper's number as a fraction of the same range, in [0, 1].
        paper_images: Test images of the paper's data set.
    """
    share = Estimate(*(part / measured.unit for part in measured.estimate))
    half = seed_half_width([value / measured.unit for value in measured.seed_values])
    return Estimate(*(100 * part for part in newcombe(widened(share, half), wilson(paper, paper_images))))


def judge(difference: Estimate) -> Verdict:
    """Return the verdict on a difference in points.

    Reproduced where the interval lies within 2 points of zero (the ends count as within); not reproduced
    where all of it lies further away; else inconclusive.
    """
    if difference.low >= -MARGIN and difference.high <= MARGIN:
        return Verdict.REPRODUCED
    if difference.low > MARGIN or difference.high < -MARGIN:
        return Verdict.NOT_REPRODUCED
    return Verdict.INCONCLUSIVE
