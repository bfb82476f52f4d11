"""SNN-RAT: adversarial training that keeps weight matrices close to orthogonal."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor, nn

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.objectives.adversarial import Adversarial
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.rng import Randomness

_MOST_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class SNNRAT(AbstractObjective):
    """Regularised adversarial training [Ding et al., SNN-RAT, NeurIPS 2022].

    The spiking Lipschitz constant of a layer is bounded by the spectrum of its weights W, one row per
    output; so every update is followed by a step down (beta / 4) * ||W W^T - I||^2, which is
    W <- W + beta * (W - W W^T W) [Parseval networks, arXiv:1704.08847]. As in the authors' code it
    acts on every convolution and linear layer, the read-out too; a linear layer with 200 outputs or more
    has a random ``row_share`` of its rows treated. Their FGSM of 2/255, made in eval mode, is the default.

    Args:
        objective: The loss; any adversarial objective, or a plain one.
        beta: Length of the step, >= 0; 0.004 stands in the name of the authors' released training log.
        row_share: Share of the rows of a large linear layer, in (0, 1].
    """

    objective: AbstractObjective = field(default_factory=Adversarial)
    beta: float = 0.004
    row_share: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.beta < math.inf:
            raise RangeError(f"beta must be finite and >= 0, got {self.beta}")
        if not 0 < self.row_share <= 1:
            raise RangeError(f"row_share must lie in (0, 1], got {self.row_share}")

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return what the inner objective returns."""
        return self.objective.loss_and_logits(
            classifier, images, labels, generator=generator, originals=originals
        )

    @torch.no_grad()
    def constrain(self, classifier: AbstractClassifier, *, generator: Generator) -> None:
        """Take the step towards orthogonal rows in every layer."""
        self.objective.constrain(classifier, generator=generator)
        for layer in classifier.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                rows = self._rows(layer, generator).to(layer.weight.device)
                matrix = layer.weight[rows].flatten(1)
                moved = matrix + self.beta * (matrix - matrix @ matrix.T @ matrix)
                layer.weight[rows] = moved.reshape(len(rows), *layer.weight.shape[1:])

    def _rows(self, layer: nn.Conv2d | nn.Linear, generator: Generator) -> Tensor:
        num_rows = len(layer.weight)
        if isinstance(layer, nn.Conv2d) or num_rows < _MOST_ROWS:
            return torch.arange(num_rows)
        return torch.randperm(num_rows, generator=generator)[: max(1, int(self.row_share * num_rows))]


EXAMPLES = (SNNRAT(),)
