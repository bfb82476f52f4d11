"""Observation 3.5: cosine similarity of coded images, beside the control of a different image.

Axes: B images of a batch, D pixel values.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from jaxtyping import Float
from scipy.stats import t as student
from torch import Tensor

from rsc_snn.data import ImageSet
from rsc_snn.errors import RangeError
from rsc_snn.evaluation.intervals import CONFIDENCE, Estimate
from rsc_snn.rng import Streams
from rsc_snn.runs.theory_schema import INFO, SIMILARITY
from rsc_snn.theory.finding import Finding
from rsc_snn.theory.moments import Moments
from rsc_snn.theory.noises import AbstractNoise, NoNoise, PoissonNoise, SmoothingNoise

NUM_STEPS = 8
VARIANCES = (0.01, 0.1, 0.5)
_NUMBERS_AT_ONCE = 2**19
_DIGITS = 6


@dataclass(frozen=True)
class Pair:
    """Two codings whose outputs for an image are compared, as means over ``num_steps`` steps."""

    first: AbstractNoise
    second: AbstractNoise
    num_steps: int


@dataclass(frozen=True)
class Similarity:
    """Cosine similarities of a pair of codings.

    Attributes:
        same: Both codings see the image; a number per image.
        other: The codings see two different images, the control: a number per two images that follow each
            other, the mean of both ways round. Each image is in one of them only, so that they are
            independent; the last image of an odd number is in none.
        foreseen: The closed form per image: mean product over the root of the mean squares.
    """

    same: list[float]
    other: list[float]
    foreseen: list[float]


def all_pairs() -> list[Pair]:
    """Return what is compared: of one step, where RSC-I and RSC-II are the same, and of the mean over T."""
    found = []
    for num_steps in (1, NUM_STEPS):
        kinds = (False,) if num_steps == 1 else (False, True)
        smooth = [SmoothingNoise(variance=v, resample_each_step=fresh) for v in VARIANCES for fresh in kinds]
        found += [Pair(noise, PoissonNoise(), num_steps) for noise in smooth]
        found += [Pair(noise, NoNoise(), num_steps) for noise in (*smooth, PoissonNoise())]
    return [Pair(NoNoise(), NoNoise(), 1), *found]


def cosine(first: Float[Tensor, "B D"], second: Float[Tensor, "B D"]) -> Float[Tensor, "B"]:
    """Cosine of the angle between each two rows, in float64; 0 where a row is 0."""
    a, b = first.double(), second.double()
    length = a.norm(dim=1) * b.norm(dim=1)
    return torch.where(length > 0, (a * b).sum(1) / length.clamp(min=torch.finfo(torch.float64).tiny), 0.0)


def between_neighbours(first: Float[Tensor, "B D"], second: Float[Tensor, "B D"]) -> Float[Tensor, "B//2"]:
    """Cosine of images 2k and 2k + 1, the mean of either being the one in the first coding."""
    end = len(first) - len(first) % 2
    even, odd = slice(0, end, 2), slice(1, end, 2)
    return (cosine(first[even], second[odd]) + cosine(first[odd], second[even])) / 2


def centred(values: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
    """Subtract from each coded image its own mean over all its values."""
    return values.double() - values.double().mean(1, keepdim=True)


def foreseen_cosine(first: Moments, second: Moments, *, is_centred: bool) -> Float[Tensor, "B"]:
    """Return the cosine that two codings with independent noise have in images of many pixels.

    E[a . b] / sqrt(E|a|^2 E|b|^2), from the moments [B, D]: it differs from the mean cosine by terms of the
    order of 1 / D. The variance of a coded image's own mean takes 1 / D from the centred squares.
    """
    share = 1 - 1 / first.mean.shape[1] if is_centred else 1.0
    means = [centred(each.mean) if is_centred else each.mean for each in (first, second)]
    squares = [
        (mean**2).sum(1) + share * each.variance.sum(1)
        for mean, each in zip(means, (first, second), strict=True)
    ]
    length = (squares[0] * squares[1]).sqrt()
    return torch.where(length > 0, (means[0] * means[1]).sum(1) / length.clamp(min=1e-300), 0.0)


def mean_over_images(values: list[float]) -> Estimate:
    """Return the mean of independent values, of an image each, with Student's interval, cut to [-1, 1].

    Raises:
        RangeError: there are fewer than two values.
    """
    n = len(values)
    if n < 2:
        raise RangeError(f"an interval needs at least 2 values, got {n}; raise --limit")
    mean = fmean(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)
    half = float(student.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread
    return Estimate(mean, max(mean - half, -1.0), min(mean + half, 1.0))


def similarities(
    pairs: Sequence[Pair], images: ImageSet, *, seed: int
) -> list[tuple[Similarity, Similarity]]:
    """Return the similarities of each pair over images, uncentred and centred.

    Every coding of an image has random numbers of its own, keyed by the image's index. One step is the first
    of several.
    """
    found = [(Similarity([], [], []), Similarity([], [], [])) for _ in pairs]
    for batch in _batches(images, max(pair.num_steps for pair in pairs)):
        coded = _Coded(batch, seed)
        for pair, kinds in zip(pairs, found, strict=True):
            for similarity, is_centred in zip(kinds, (False, True), strict=True):
                a, b = (coded.values(n, pair.num_steps, is_centred) for n in (pair.first, pair.second))
                similarity.same.extend(cosine(a, b).tolist())
                similarity.other.extend(between_neighbours(a, b).tolist())
                one, two = (coded.moments(noise, pair.num_steps) for noise in (pair.first, pair.second))
                similarity.foreseen.extend(foreseen_cosine(one, two, is_centred=is_centred).tolist())
    return found


def similarity_findings(dataset: str, images: ImageSet, *, seed: int) -> list[Finding]:
    """Compare every pair on a data set's images."""
    chosen = all_pairs()
    return [
        _finding(dataset, pair, similarity, is_centred)
        for pair, kinds in zip(chosen, similarities(chosen, images, seed=seed), strict=True)
        for similarity, is_centred in zip(kinds, (False, True), strict=True)
    ]


def _finding(dataset: str, pair: Pair, found: Similarity, is_centred: bool) -> Finding:
    same, other = mean_over_images(found.same), mean_over_images(found.other)
    time = "one step" if pair.num_steps == 1 else f"mean over {pair.num_steps} steps"
    kind = "centred" if is_centred else "uncentred"
    first, second = (_shown(noise, pair.num_steps) for noise in (pair.first, pair.second))
    return Finding(
        name=f"similarity: {dataset}: {first} and {second}: {time}: {kind}",
        part=SIMILARITY,
        title=f"Cosine similarity of {first} and {second}, {time}, {kind}",
        subject=dataset,
        verdict=INFO,
        value=round(same.value, _DIGITS),
        details={
            "first": first,
            "second": second,
            "time": time,
            "is_centred": is_centred,
            "interval": [round(same.low, _DIGITS), round(same.high, _DIGITS)],
            "control": [round(value, _DIGITS) for value in other],
            "foreseen": round(fmean(found.foreseen), _DIGITS),
            "num_images": len(found.same),
            "num_controls": len(found.other),
        },
    )


def _shown(noise: AbstractNoise, num_steps: int) -> str:
    """Of one step RSC-I and RSC-II are the same: RSC."""
    return noise.name.replace("RSC-I ", "RSC ") if num_steps == 1 else noise.name


def _batches(images: ImageSet, num_steps: int) -> Iterator[ImageSet]:
    """Consecutive images, an even number of them in each batch but the last."""
    size = 2 * max(1, _NUMBERS_AT_ONCE // (2 * num_steps * images.images[0].numel()))
    for first in range(0, len(images), size):
        yield images.at(slice(first, first + size))


class _Coded:
    """The images of a batch in every coding that was asked for, each computed once."""

    def __init__(self, batch: ImageSet, seed: int):
        self._pixels, self._indices, self._seed = batch.pixels(), batch.indices, seed
        self._values: dict[tuple[AbstractNoise, int, bool], Tensor] = {}
        self._moments: dict[AbstractNoise, Moments] = {}

    def values(self, noise: AbstractNoise, num_steps: int, is_centred: bool) -> Float[Tensor, "B D"]:
        """The mean over time, float64."""
        key = (noise, num_steps, is_centred)
        if key not in self._values and is_centred:
            self._values[key] = centred(self.values(noise, num_steps, False))
        elif key not in self._values:
            streams = Streams(self._seed, f"theory: similarity: {noise.name}", self._indices)
            current = noise.encode(self._pixels, num_steps, generator=streams)
            self._values[key] = current.double().mean(0).flatten(1)
        return self._values[key]

    def moments(self, noise: AbstractNoise, num_steps: int) -> Moments:
        """Of the mean over time."""
        if noise not in self._moments:
            self._moments[noise] = noise.step_moments(self._pixels.flatten(1))
        return self._moments[noise].over_steps(num_steps, is_fresh=noise.is_fresh)
