"""Votes: answers of a classifier to many draws of its coding's noise, counted.

Axes: B images, S draws, K classes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier, SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.rng import Streams

_TRIED = 4
_SAME = 1e-3


@dataclass(frozen=True)
class Voter:
    """A classifier that is asked about images over many draws, several images and draws in a pass.

    Args:
        classifier: In eval mode.
        num_classes: K.
        seed: Of the noise.
        rows_per_pass: (image, draw) pairs of a forward pass.
    """

    classifier: AbstractClassifier
    num_classes: int
    seed: int
    rows_per_pass: int

    @torch.no_grad()
    def count(
        self,
        images: Float[Tensor, "B C H W"],
        indices: Int64[Tensor, "B"],
        purpose: str,
        *,
        first: int,
        num_draws: int,
    ) -> Int64[Tensor, "B K"]:
        """Return how many of the draws ``first`` ... ``first + num_draws - 1`` answer each class.

        Args:
            images: Pixels in [0, 1].
            indices: Index of each image in its data set, which its noise belongs to.
            purpose: Of the noise; "select" and "estimate" are independent.
            first: Number of the first draw.
            num_draws: S.

        Raises:
            InputError: an answer is not a number.
        """
        counts = torch.zeros(len(images), self.num_classes, dtype=torch.int64)
        num_pairs = len(images) * num_draws
        for start in range(0, num_pairs, self.rows_per_pass):
            stop = min(start + self.rows_per_pass, num_pairs)
            pairs = torch.arange(start, stop)
            image, draw = pairs // num_draws, first + pairs % num_draws
            streams = Streams(self.seed, purpose, indices[image]).at(draw)
            logits = self.classifier.logits(images[image.to(images.device)], streams)
            if not logits.isfinite().all():
                raise InputError("the classifier's logits are not finite numbers; train again")
            places = image * self.num_classes + logits.argmax(1).cpu()
            counts += places.bincount(minlength=counts.numel()).reshape_as(counts)
        return counts


@torch.no_grad()
def require_independent_votes(classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> None:
    """Try a network that is not ours on a few draws: the votes of a pass must not depend on each other.

    Raises:
        InputError: the network draws random numbers too, which may be the same for all rows of a pass; or a
            row's answer depends on the other rows.
    """
    if not (isinstance(classifier, SpikingClassifier) and classifier.has_noise_of_its_own):
        return
    current_TBCHW = classifier.encode(
        images[torch.arange(_TRIED) % len(images)], Streams(0, "probe", range(_TRIED))
    )
    is_cuda = images.device.type == "cuda"
    with torch.random.fork_rng(devices=[images.device] if is_cuda else []):
        before = _states(images.device)
        together = classifier.respond(current_TBCHW).mean(0)
        if not all(map(torch.equal, before, _states(images.device))):
            raise InputError(
                "the network draws random numbers besides its coding, so that its votes may depend on each "
                "other; turn them off to certify it"
            )
        try:
            alone = torch.cat([classifier.respond(row).mean(0) for row in current_TBCHW.split(1, dim=1)])
        except (RuntimeError, ValueError, IndexError) as err:
            raise InputError(
                f"the network cannot answer a row alone ({err}), so that its votes may depend on each other"
            ) from err
    changed = (alone - together).abs().amax(1) > _SAME * together.abs().amax(1)
    if 2 * int(changed.sum()) > _TRIED:  # rounding may flip a spike in one
        raise InputError(
            "the network answers a row differently beside other rows, so that its votes depend on each "
            "other; put batch statistics in eval mode to certify it"
        )


def _states(device: torch.device) -> list[Tensor]:
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
