"""The width of ``TimeAverage``, chosen once for a network by the success of an attack."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.attacks.base import AbstractAttack
from rsc_snn.attacks.conditions import evaluation_mode
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.gradients import AbstractGradient, Expectation, TimeAverage
from rsc_snn.rng import Streams

WIDTHS = tuple(round(0.10 + 0.05 * number, 2) for number in range(48))


@dataclass(frozen=True, order=True)
class Tried:
    """How a width did; the smallest is the best, by accuracy, then margin, then width.

    Attributes:
        accuracy: Share of (image, draw) pairs that were still answered correctly.
        margin: Mean of true logit minus largest other.
        width: That of ``TimeAverage``.
    """

    accuracy: float
    margin: float
    width: float


@dataclass(frozen=True)
class Tuned:
    """What a search for the width came to.

    Attributes:
        best: The path with the best width.
        table: All widths that were tried, in ascending order.
    """

    best: TimeAverage
    table: tuple[Tried, ...]


def tune_width(
    classifier: AbstractClassifier,
    images: Float[Tensor, "B C H W"],
    labels: Int64[Tensor, "B"],
    *,
    attack: AbstractAttack,
    num_draws: int = 20,
    widths: Sequence[float] = WIDTHS,
    stride: int = 6,
    seed: int = 0,
) -> Tuned:
    """Return the width with which ``attack`` by ``TimeAverage`` does the most harm.

    A width is judged by accuracy, then by mean margin, of the attacked images on fresh draws (purpose
    "select") that the attack (purpose "attack") did not see; the draws are the same for every width. From
    coarse to fine: every ``stride``-th width is tried, and then those around the best one; this needs 18
    attacks instead of 48 and can miss a second, narrow optimum, which ``stride=1`` finds.

    Args:
        classifier: Attacked and judged in eval mode; modes are restored.
        images: Validation images in [0, 1], not those that an evaluation reports.
        labels: True classes.
        attack: Such as ``FGSM(eps=8/255)`` or ``PGD()``.
        num_draws: Draws of each gradient and of each judgement, >= 1; a classifier that does not vary
            needs, and gets, one.
        widths: Half bases of the triangle, > 0, without repetition.
        stride: 1 tries all widths.
        seed: All randomness.

    Raises:
        RangeError: no widths, or a number below 1.
        InputError: a network that ``TimeAverage`` does not apply to.
    """
    for name, number in (("num_draws", num_draws), ("stride", stride), ("number of widths", len(widths))):
        if number < 1:
            raise RangeError(f"{name} must be at least 1, got {number}")
    with evaluation_mode(classifier):
        num_draws = num_draws if classifier.varies(images) else 1
    candidates, tried = sorted(widths), dict[float, Tried]()

    def attempt(chosen: Sequence[float]) -> None:
        for width in chosen:
            if width not in tried:
                path = TimeAverage(width=width)
                score = _score(classifier, images, labels, attack, path, num_draws, seed)
                tried[width] = Tried(*score, width)

    attempt(candidates[::stride])
    best = candidates.index(min(tried.values()).width)
    attempt(candidates[max(0, best - stride + 1) : best + stride])
    table = tuple(tried[width] for width in sorted(tried))
    return Tuned(TimeAverage(width=min(table).width), table)


def _score(
    classifier: AbstractClassifier,
    images: Tensor,
    labels: Tensor,
    attack: AbstractAttack,
    path: TimeAverage,
    num_draws: int,
    seed: int,
) -> tuple[float, float]:
    """Accuracy and mean margin of the attacked images, over draws that the attack did not see."""
    indices = range(len(images))
    gradient: AbstractGradient = path if num_draws == 1 else Expectation(of=path, num_draws=num_draws)
    found = attack(classifier, images, labels, gradient=gradient, generator=Streams(seed, "attack", indices))
    streams = Streams(seed, "select", indices)
    labels = labels.to(images.device)
    with evaluation_mode(classifier), torch.no_grad():
        logits_SBK = torch.stack([classifier.logits(found, streams) for _ in range(num_draws)])
    is_right_SB = logits_SBK.argmax(-1) == labels
    targets = labels.expand_as(is_right_SB)[..., None]
    others_SBK = logits_SBK.scatter(-1, targets, -torch.inf)
    margins_SB = logits_SBK.gather(-1, targets)[..., 0] - others_SBK.amax(-1)
    return float(is_right_SB.double().mean()), float(margins_SB.double().mean())
