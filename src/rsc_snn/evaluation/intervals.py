"""Intervals of accuracies; images are the sampling unit. Needs no torch."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from rsc_snn.errors import InputError

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A mean over images with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(mean: float, num_images: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Wilson's score interval of a mean of values in [0, 1] [Wilson, JASA 1927].

    For 0/1 values it is the usual interval of a proportion; for values between it is conservative,
    since their variance is at most mean * (1 - mean).

    Args:
        mean: Mean over the images, in [0, 1].
        num_images: Images, >= 1; noise draws are never counted.
        confidence: Of the two-sided interval, in (0, 1).
    """
    if num_images < 1 or not -1e-12 <= mean <= 1 + 1e-12:
        raise InputError(f"expected a mean in [0, 1] over at least one image, got {mean} over {num_images}")
    mean = min(max(mean, 0.0), 1.0)
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    centre = (mean + z2 / (2 * num_images)) / (1 + z2 / num_images)
    half = math.sqrt(z2 * (mean * (1 - mean) + z2 / (4 * num_images)) / num_images) / (1 + z2 / num_images)
    low, high = centre - half, centre + half
    return Estimate(mean, min(max(low, 0.0), mean), max(min(high, 1.0), mean))


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of per-image values in [0, 1] with Wilson's interval."""
    return wilson(float(np.mean(np.asarray(values, dtype=np.float64))), len(values))
