"""Radii of a linear base, whose probabilities and distances are known, over many repeats.

    python -m tests.certification.linear_base

One image under many indices is as many repeats. Votes for "above a threshold" are summed over the classes
above it, so that one sampling serves all probabilities.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats

import rsc_snn as rs
from rsc_snn.certification.bounds import lower_bound
from rsc_snn.certification.votes import Voter
from tests.certification.bases import Steps, Unclamped

CHANCES = (0.8, 0.9, 0.95, 0.99)
ALPHA = 0.001


@dataclass(frozen=True)
class Margin:
    """What was certified where the answer has a known probability.

    Attributes:
        chance: The probability.
        distance: To the boundary: sigma * Phi^-1(chance), the true radius.
        mean_radius: Certified, over the repeats.
        num_too_large: Repeats whose radius exceeds the distance.
        most_too_large: The 0.9999 quantile of their number, if each has probability alpha.
        share: Of all votes.
        tolerance: Five standard errors of it.
    """

    chance: float
    distance: float
    mean_radius: float
    num_too_large: int
    most_too_large: int
    share: float
    tolerance: float


def repeated(num_repeats: int = 200, num_draws: int = 100_000) -> list[Margin]:
    coding, at = Unclamped(std=0.5), 0.5
    distances = [coding.std * stats.norm.ppf(chance) for chance in CHANCES]
    classifier = rs.wrap(Steps([at - distance for distance in distances]), coding=coding).eval()
    voter = Voter(classifier, len(CHANCES) + 1, seed=0, rows_per_pass=100_000)
    images = torch.full((num_repeats, 1, 1, 1), at)
    counts = voter.count(images, torch.arange(num_repeats), "estimate", first=0, num_draws=num_draws).numpy()
    found = []
    for k, (chance, distance) in enumerate(zip(CHANCES, distances, strict=True)):
        votes = counts[:, len(CHANCES) - k :].sum(1)
        radii = [coding.guarantee(1, 1).radius(float(each)) for each in lower_bound(votes, num_draws, ALPHA)]
        found.append(
            Margin(
                chance,
                distance,
                mean_radius=float(np.mean(radii)),
                num_too_large=sum(radius > distance for radius in radii),
                most_too_large=int(stats.binom.ppf(0.9999, num_repeats, ALPHA)),
                share=votes.mean() / num_draws,
                tolerance=5 * math.sqrt(chance * (1 - chance) / num_draws / num_repeats),
            )
        )
    return found


if __name__ == "__main__":
    for margin in repeated():
        ratio, rare = margin.mean_radius / margin.distance, margin.most_too_large
        told = f"{margin.num_too_large} too large ({rare} allowed)"
        print(f"p = {margin.chance}: {ratio:.4f} of the distance, {told}")
