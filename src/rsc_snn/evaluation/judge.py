"""The judge: scores candidates on noise that no attack has seen, and picks the worst of them.

Nobody marks their own work: an attack returns candidates, and only what is measured here counts.
Axes: B images of a batch, S noise draws, K classes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from rsc_snn.attacks import AbstractNorm
from rsc_snn.checks import require_labels
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients.parts import logits_in_parts
from rsc_snn.rng import Streams

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Votes:
    """How a classifier answered over several draws.

    Attributes:
        counts: Draws that chose each class, [B, K].
        accuracy: Share of draws that chose the label, [B].
        margin: Mean over draws of the label's logit minus the largest other, [B].
    """

    counts: Int64[Tensor, "B K"]
    accuracy: Float[Tensor, "B"]
    margin: Float[Tensor, "B"]

    def are_worse_than(self, others: "Votes") -> Bool[Tensor, "B"]:
        """Where accuracy is lower, or the same with a lower margin: what hurts the classifier more."""
        is_tie = self.accuracy == others.accuracy
        return (self.accuracy < others.accuracy) | (is_tie & (self.margin < others.margin))

    def at(self, rows: Int64[Tensor, "R"]) -> "Votes":
        """Return those of some images."""
        return Votes(self.counts[rows], self.accuracy[rows], self.margin[rows])


@torch.no_grad()
def collect_votes(
    classifier: AbstractClassifier,
    images: Float[Tensor, "B C H W"],
    labels: Int64[Tensor, "B"],
    *,
    indices: Int64[Tensor, "B"],
    seed: int,
    purpose: str,
    num_draws: int,
    draw_chunk: int,
) -> Votes:
    """Classify each image under draws 0 ... num_draws - 1 of its own stream.

    Args:
        classifier: In eval mode.
        images: Pixels in [0, 1].
        labels: Class of each image.
        indices: Index of each image in its data set.
        seed: Seed of the streams.
        purpose: "score", "heldout", ...
        num_draws: S, >= 1.
        draw_chunk: Draws that share a forward pass; the last chunk is padded to the same size. A module
            that is not ours is passed once for every draw.
    """
    if classifier.has_noise_of_its_own:
        draw_chunk = 1
    counts, margins = None, torch.zeros(len(images), dtype=torch.float64)
    for first in range(0, num_draws, draw_chunk):
        draws = torch.arange(first, first + draw_chunk)
        pairs = images.repeat(draw_chunk, 1, 1, 1)
        streams = Streams(seed, purpose, indices.repeat(draw_chunk))
        noise = streams.at(draws.repeat_interleave(len(images)))
        logits_SBK = logits_in_parts(classifier, pairs, noise).unflatten(0, (draw_chunk, len(images)))
        if bool(logits_SBK.isnan().any()):
            raise InputError("the classifier returned NaN logits, which nobody can score; check its weights")
        logits_SBK = logits_SBK[: num_draws - first]
        require_labels(labels, num_images=len(images), num_classes=logits_SBK.shape[-1])
        votes = torch.nn.functional.one_hot(logits_SBK.argmax(-1), logits_SBK.shape[-1]).sum(0)
        counts = votes if counts is None else counts + votes
        margins += _margin(logits_SBK, labels).cpu().double().sum(0)
    assert counts is not None, "num_draws is at least 1"
    counts = counts.cpu()
    accuracy = counts.gather(1, labels.cpu()[:, None])[:, 0].double() / num_draws
    return Votes(counts, accuracy, margins / num_draws)


def _margin(logits_SBK: Tensor, labels: Tensor) -> Tensor:
    label = labels.expand(logits_SBK.shape[:2])[..., None]
    own = logits_SBK.gather(-1, label)[..., 0]
    return own - logits_SBK.scatter(-1, label, -torch.inf).amax(-1)


def verify(
    candidates: Float[Tensor, "B C H W"],
    images: Float[Tensor, "B C H W"],
    *,
    norm: AbstractNorm,
    eps: float,
) -> tuple[Float[Tensor, "B C H W"], Tensor]:
    """Project candidates into the ball and [0, 1]; say which had been outside, or were not numbers.

    Returns:
        The candidates that are scored, and a boolean [B] that is True where a candidate was invalid. One
        that holds NaN is replaced by the clean image.
    """
    is_number = torch.isfinite(candidates).flatten(1).all(1)
    finite = torch.where(is_number[:, None, None, None], candidates, images)
    slack = max(_ROUNDING * max(eps, 1.0), 2 * torch.finfo(images.dtype).eps)
    is_inside = (norm.size(finite - images) <= eps + slack) & _in_range(finite, slack)
    projected = (images + norm.project(finite - images, eps)).clamp(0, 1)
    return projected, ~(is_number & is_inside)


def _in_range(images: Tensor, slack: float) -> Tensor:
    flat = images.flatten(1)
    return (flat.amin(1) >= -slack) & (flat.amax(1) <= 1 + slack)
