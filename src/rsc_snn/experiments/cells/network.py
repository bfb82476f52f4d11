"""A trained network as a cell's subject: recipe and seed, and where its run folder lies."""

import hashlib
import json
from dataclasses import dataclass

from rsc_snn.spec import Spec, to_data
from rsc_snn.training import Recipe

_SHOWN = 8


def digest_of(spec: Spec, length: int) -> str:
    """Digest of the content of a specification: equal specifications have equal ones."""
    text = json.dumps(to_data(spec), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


@dataclass(frozen=True, kw_only=True)
class Network(Spec):
    """A recipe that is trained with a seed.

    Args:
        recipe: Everything that decides what is trained.
        seed: Of weights, order, augmentation and noise.
        settings: The ``--set`` words that make ``recipe`` from the recipe of its name.
    """

    recipe: Recipe
    seed: int = 0
    settings: tuple[str, ...] = ()

    @property
    def run(self) -> str:
        """Name of the run folder; networks that differ in anything have different ones."""
        return f"{self.recipe.name}-seed{self.seed}-{digest_of(self, _SHOWN)}"

    def __str__(self) -> str:
        return f"{self.recipe.name}, seed {self.seed}"
