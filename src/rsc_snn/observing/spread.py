"""Means over images with their intervals."""

import math

from jaxtyping import Float64
from torch import Tensor

from rsc_snn.evaluation.intervals import CONFIDENCE


def spread(
    values: Float64[Tensor, "B"], *, lowest: float = -math.inf, highest: float = math.inf
) -> list[float | None]:
    """Return [mean, low, high] of a value of each image: the 95 % interval of Student's t, cut to a range.

    One image has no interval: its ends are None.

    Args:
        values: A value of each image, at least one.
        lowest: The least mean that is possible.
        highest: The largest.
    """
    from scipy.stats import t

    mean, num_images = float(values.mean()), len(values)
    if num_images == 1:
        return [mean, None, None]
    quantile = float(t.ppf((1 + CONFIDENCE) / 2, num_images - 1))
    half = quantile * float(values.std()) / math.sqrt(num_images)
    return [mean, max(lowest, mean - half), min(highest, mean + half)]
