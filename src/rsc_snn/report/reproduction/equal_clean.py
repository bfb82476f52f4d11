"""How far a network stands above a curve of others at the same clean accuracy. Needs no torch.

Several networks make a curve in the plane of clean accuracy (across) and robust accuracy (up): their points,
sorted by clean accuracy and joined by straight lines. Another network's height above it is its robust
accuracy minus that of the curve at its own clean accuracy. All accuracies are over the same images, and
all of them vary together when other images are drawn.
"""

from dataclasses import dataclass

import numpy as np

from rsc_snn.evaluation.differences import mean_difference

RESAMPLES = 2000
MOST_OUTSIDE = 0.025  # of the resamples
_CHUNK = 100  # resamples at a time
_Array = np.ndarray


@dataclass(frozen=True)
class Height:
    """Robust accuracy minus that of the curve, as fractions.

    Attributes:
        value: The height.
        low: Lower end of the 95 % interval over images.
        high: Upper end.
        curve: Robust accuracy of the curve at that clean accuracy.
        is_extended: Whether the interval reaches as far as if more images differed than did.
    """

    value: float
    low: float
    high: float
    curve: float
    is_extended: bool


@dataclass(frozen=True)
class Outside:
    """The clean accuracy is not surely one that the curve has.

    Attributes:
        share: Of the resamples in which it lies outside the curve.
        is_above: Whether it lies above the curve's in most of these.
    """

    share: float
    is_above: bool


def height_above(curve: np.ndarray, point: np.ndarray, *, resamples: int = RESAMPLES) -> Height | Outside:
    """Return how far a network stands above a curve, with a 95 % interval over images.

    The interval joins that of the bootstrap over images (percentiles; the same images for all networks; a
    fixed seed) and that of ``mean_difference`` for the height's linear part, which has the floor for images
    that differ rarely: where hardly any differs, a bootstrap repeats the few that do and its interval is too
    short. Resamples outside the curve are left out; where they are more than 2.5 % there is no interval. In
    simulations of 40 to 300 images about one interval of twenty, or fewer, misses; near the curve's ends
    intervals are seldom shown, and those that are cover in about 80 % only, at the very end of a steep curve
    in fewer, since only those samples show one whose clean accuracy is far enough inside by luck.

    Args:
        curve: [N, K, 2] clean and robust share of each of N images under K >= 2 networks, in [0, 1].
        point: [N, 2] the same of the other network.
        resamples: Of the images.
    """
    every = np.concatenate([curve, point[:, None]], axis=1)
    drawn = _resampled(every, resamples)
    heights, sides = _heights(drawn)
    outside = float((sides != 0).mean())
    centre, side = _heights(every.mean(axis=0)[None])
    if outside > MOST_OUTSIDE or side[0]:
        return Outside(outside, bool((sides > 0).sum() >= (sides < 0).sum()))
    low, high = np.quantile(heights[sides == 0], [0.025, 0.975])
    linear, scale = _linear_part(curve, point)
    floor = mean_difference(np.clip(linear / scale, -1, 1).tolist())
    low, high = min(float(low), scale * floor.low), max(float(high), scale * floor.high)
    value = float(centre[0])
    return Height(
        value,
        max(low, -1.0),
        min(high, 1.0),
        float(point[:, 1].mean()) - value,
        floor.is_extended,
    )


def _resampled(every: _Array, resamples: int) -> _Array:
    """[N, K + 1, 2] -> means over images drawn with replacement, [resamples, K + 1, 2]."""
    num_images = len(every)
    flat = every.reshape(num_images, -1)
    rng = np.random.default_rng(0)
    means = []
    for first in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - first)
        drawn = rng.integers(num_images, size=(size, num_images)) + num_images * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * num_images).reshape(size, num_images)
        means.append(counts @ flat / num_images)
    return np.concatenate(means).reshape(resamples, *every.shape[1:])


def _heights(points: _Array) -> tuple[_Array, _Array]:
    """[R, K + 1, 2], the last being the point -> heights [R], and -1 below the curve, +1 above it, else 0."""
    (left, right, share), clean = _bracket(points), points[:, -1, 0]
    rows = np.arange(len(points))
    robust = (1 - share) * points[rows, left, 1] + share * points[rows, right, 1]
    across = points[:, :-1, 0]
    sides = (clean > across.max(axis=1)).astype(int) - (clean < across.min(axis=1))
    return points[:, -1, 1] - robust, sides


def _bracket(points: _Array) -> tuple[_Array, _Array, _Array]:
    """Return the networks left and right of the point, [R] each, and how far it is from left to right."""
    across, clean = points[:, :-1, 0], points[:, -1, 0]
    order = np.argsort(across, axis=1, kind="stable")
    ranked = np.take_along_axis(across, order, axis=1)
    first = np.clip((ranked <= clean[:, None]).sum(axis=1) - 1, 0, across.shape[1] - 2)
    rows = np.arange(len(points))
    low, high = ranked[rows, first], ranked[rows, first + 1]
    width = np.where(high > low, high - low, 1.0)
    share = np.where(high > low, (clean - low) / width, 0.5)
    return order[rows, first], order[rows, first + 1], share


def _linear_part(curve: _Array, point: _Array) -> tuple[_Array, float]:
    """Return a value per image whose mean is the height and whose spread is the height's, and its range.

    The derivative of the height with respect to the share of each image: what the robust accuracies add,
    minus the slope of the curve times what the clean accuracies add.
    """
    means = np.concatenate([curve, point[:, None]], axis=1).mean(axis=0)
    left, right, share = (part[0] for part in _bracket(means[None]))
    width, rise = means[right] - means[left]
    slope = rise / width if width > 0 else 0.0
    beside = (1 - share) * curve[:, left] + share * curve[:, right]
    across, up = (point - beside).T
    return up - slope * across, 1.0 + abs(float(slope))
