"""Which candidate is worst so far, image by image, on held-out draws. Axes: B images, K classes."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.evaluation.judge import Votes


@dataclass(frozen=True)
class Standing:
    """For each image the worst candidate and what the held-out draws said of it.

    Attributes:
        images: The candidates, [B, C, H, W].
        heldout: Votes over the held-out draws.
        names: (entry, point) of each image's candidate, such as ("APGD-CE", "last").
    """

    images: Float[Tensor, "B C H W"]
    heldout: Votes
    names: list[tuple[str, str]]

    def challenged(self, rows: Int64[Tensor, "R"], other: "Standing") -> "Standing":
        """Return the standing after ``other``, which is about ``rows`` of this batch only.

        The lower accuracy wins, then the lower mean margin; the earlier candidate keeps a tie.
        """
        return self._replaced(rows, other, other.heldout.are_worse_than(self.heldout.at(rows)))

    def is_lost(self) -> Tensor:
        """Whether no draw was right, [B]."""
        return self.heldout.accuracy == 0

    def _replaced(self, rows: Tensor, other: "Standing", is_worse: Tensor) -> "Standing":
        at, chosen = rows[is_worse], is_worse.nonzero()[:, 0]
        names = list(self.names)
        for i, j in zip(at.tolist(), chosen.tolist(), strict=True):
            names[i] = other.names[j]
        here, there = at.to(self.images.device), chosen.to(self.images.device)
        votes = Votes(
            *(
                old.index_copy(0, at, new[chosen])
                for old, new in (
                    (self.heldout.counts, other.heldout.counts),
                    (self.heldout.accuracy, other.heldout.accuracy),
                    (self.heldout.margin, other.heldout.margin),
                )
            )
        )
        images = self.images.index_copy(0, here, other.images[there])
        return replace(self, images=images, heldout=votes, names=names)


def named(name: str, point: str, images: Tensor, heldout: Votes) -> Standing:
    """Return the standing of one candidate, the same point of the same entry for every image."""
    return Standing(images, heldout, [(name, point)] * len(images))


def all_rows(images: Tensor) -> Tensor:
    """Positions of a whole batch."""
    return torch.arange(len(images))
