"""Hand-made rows of two runs, and rows drawn from a known model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from rsc_snn.runs.files import Row


def row(index: int, *, right: int, clean: int | None = None, draws: int = 5, **changes: Any) -> Row:
    """A row whose label 0 got ``right`` of the draws under attack and ``clean`` on the clean image."""
    seen = right if clean is None else clean
    return {
        "suite": "paper", "budget": "full", "seed": 0, "eps": 8 / 255, "norm": "linf", "entry": "PGD",
        "index": index, "label": 0, "attack": "PGD()", "gradient": "BPTT()", "num_draws": draws,
        "clean_counts": [seen, draws - seen], "adversarial_counts": [right, draws - right],
        "heldout_counts": [right, draws - right], "heldout_margin": 0.0, "flags": [],
        "batch_size": 4, "draw_chunk": 1, **changes,
    }  # fmt: skip


def rows_of(rights: Sequence[int], **changes: Any) -> list[Row]:
    return [row(i, right=right, **changes) for i, right in enumerate(rights)]


@dataclass(frozen=True)
class Model:
    """Kinds of images: how common each is, and how often either network is right on it in a single draw.

    The two accuracies of an image go together as its kind says; given the kind, all draws are independent.
    """

    name: str
    num_images: int
    kinds: tuple[tuple[float, float, float], ...]  # share, accuracy of A, accuracy of B
    draws: int = 5

    @property
    def true_difference(self) -> float:
        return sum(share * (a - b) for share, a, b in self.kinds)

    @property
    def true_vote_difference(self) -> float:
        votes = [(share, self._vote(a), self._vote(b)) for share, a, b in self.kinds]
        return sum(share * (a - b) for share, a, b in votes)

    def counts(self, generator: np.random.Generator, repeats: int) -> NDArray[np.int64]:
        """Right answers of either run under attack, [repeats, 2, N]: images are drawn first, then votes."""
        shares = np.array([kind[0] for kind in self.kinds])
        kinds = generator.choice(len(self.kinds), size=(repeats, self.num_images), p=shares)
        accuracies = np.array([kind[1:] for kind in self.kinds])[kinds]
        return generator.binomial(self.draws, np.moveaxis(accuracies, 2, 1))

    def _vote(self, accuracy: float) -> float:
        return float(binom.sf(self.draws // 2, self.draws, accuracy))
