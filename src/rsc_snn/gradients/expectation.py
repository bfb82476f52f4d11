"""Expectation over the defence's noise."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError, RangeError, UnknownNameError
from rsc_snn.gradients.base import AbstractGradient, Loss
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.rng import Randomness

_KINDS = ("mean_loss", "mean_probability")


@dataclass(frozen=True, kw_only=True)
class Expectation(AbstractGradient):
    """Gradient over several fresh draws of the noise, taken one after the other.

    "mean_loss" is the loss averaged over draws, the gradient of EOT-PGD [Zimmermann, arXiv:1907.00895].
    "mean_probability" is -log of the true class's probability averaged over draws, the attack on the
    smoothed classifier [SmoothAdv, Salman et al., arXiv:1906.04584]; its gradient is the mean of the
    draws' gradients weighted by their probabilities, so that no graph outlives its draw.

    Args:
        of: The gradient path of a single draw.
        num_draws: Draws per gradient, >= 1.
        loss: "mean_loss", or "mean_probability", which takes no loss but cross-entropy.
    """

    of: AbstractGradient = field(default_factory=BPTT)
    num_draws: int = 20
    loss: str = "mean_loss"

    def __post_init__(self) -> None:
        if self.num_draws < 1:
            raise RangeError(f"num_draws must be at least 1, got {self.num_draws}")
        if self.loss not in _KINDS:
            raise UnknownNameError("loss of Expectation", self.loss, _KINDS)

    def loss_and_gradient(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B C H W"]]:
        """Return loss and gradient over ``num_draws`` draws."""
        is_mean_loss = self.loss == "mean_loss"
        if not (is_mean_loss or loss.is_cross_entropy):
            raise InputError(
                f"mean_probability averages the probability of the true class, which {loss!r} is not made "
                "of; use the loss CE(), or mean_loss"
            )
        num_seen, total, weighted = 0, torch.zeros_like(images[:, 0, 0, 0]), torch.zeros_like(images)
        log_sum = torch.full_like(total, -torch.inf)
        for _ in range(self.num_draws):
            losses, gradient = self.of.loss_and_gradient(
                classifier, images, labels, loss=loss, generator=generator
            )
            num_seen, total = num_seen + 1, total + losses
            earlier, log_sum = log_sum, torch.logaddexp(log_sum, -losses)
            share = torch.full_like(losses, 1 / num_seen) if is_mean_loss else (-losses - log_sum).exp()
            kept = 1 - share if is_mean_loss else (earlier - log_sum).exp()
            weighted = weighted * kept[:, None, None, None] + gradient * share[:, None, None, None]
        mean_loss = total / num_seen
        smoothed = torch.log(torch.full_like(total, num_seen)) - log_sum
        return (mean_loss if is_mean_loss else smoothed), weighted


EXAMPLES = (Expectation(num_draws=3), Expectation(num_draws=3, loss="mean_probability"))
