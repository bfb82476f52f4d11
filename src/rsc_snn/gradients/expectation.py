"""Expectation over the defence's noise. Axes: S draws of a chunk, R images of a chunk."""

import math
from dataclasses import dataclass, field, fields

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError, RangeError, UnknownNameError
from rsc_snn.gradients.base import AbstractGradient, Loss, Obstacle
from rsc_snn.gradients.bptt import BPTT
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.parts import rows_for_draws
from rsc_snn.gradients.slopes import Level, Slope
from rsc_snn.rng import Randomness, Streams

_KINDS = ("mean_loss", "mean_probability")


@dataclass(frozen=True, kw_only=True)
class Expectation(AbstractGradient):
    """Gradient over several fresh draws of the noise.

    "mean_loss" is the loss averaged over draws, the gradient of EOT-PGD [Zimmermann, arXiv:1907.00895].
    "mean_probability" is -log of the true class's probability averaged over draws, the attack on the
    smoothed classifier [SmoothAdv, Salman et al., arXiv:1906.04584]; its gradient is the mean of the
    draws' gradients weighted by their probabilities, so that no graph outlives its pass.

    All draws of an image share a pass. A pass holds no more rows (images times draws) than an evaluation
    says; without one, 64, or as many as the batch has images if that is more. A larger batch is passed in
    parts, and so are more draws than that. A module that is not ours is passed once for every draw, since it
    may draw one number for a whole call.

    Args:
        of: The gradient path of a single draw; an Expectation may stand inside an Ensemble, not in here.
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
        if _holds_expectation(self.of):
            raise InputError("expected a path of one draw, got an Expectation; multiply num_draws instead")

    def slope(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
        memory: Memory,
    ) -> Slope:
        """Return loss and gradient over ``num_draws`` draws."""
        self._require_fitting(loss)
        work = _Work(self, classifier, images, labels, loss, generator, self.of.num_passes)
        slopes = [work.slope(rows, memory.part(tuple(rows), num_draws=1)) for rows in work.parts()]
        work.finish()
        return Slope.joined(slopes)

    def level(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> Level:
        """Return the loss over ``num_draws`` draws, without a gradient."""
        self._require_fitting(loss)
        work = _Work(self, classifier, images, labels, loss, generator, self.of.num_levels)
        levels = [work.level(rows) for rows in work.parts()]
        work.finish()
        return Level.joined(levels)

    @property
    def num_passes(self) -> int:
        """Those of the path, for each draw."""
        return self.num_draws * self.of.num_passes

    @property
    def num_levels(self) -> int:
        """Those of the path, for each draw."""
        return self.num_draws * self.of.num_levels

    @property
    def has_statistics(self) -> bool:
        """Whether the path has."""
        return self.of.has_statistics

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """That of the path."""
        return self.of.obstacle(classifier, images)

    def _require_fitting(self, loss: Loss) -> None:
        if self.loss == "mean_probability" and not loss.is_cross_entropy:
            raise InputError(
                f"mean_probability averages the probability of the true class, which {loss!r} is not made "
                "of; use the loss CE(), or mean_loss"
            )


@dataclass(frozen=True)
class _Work:
    """A batch under all draws, cut into passes."""

    spec: Expectation
    classifier: AbstractClassifier
    images: Tensor
    labels: Tensor
    loss: Loss
    generator: Randomness
    passes_per_draw: int

    def parts(self) -> list[range]:
        """The images that are passed together with all their draws, or with as many as fit."""
        size = max(1, self._num_rows // self.spec.num_draws)
        size = len(self.images) if self._is_drawn_by_calls else size
        starts = range(0, len(self.images), size)
        return [range(start, min(start + size, len(self.images))) for start in starts]

    def slope(self, rows: range, memory: Memory) -> Slope:
        """Loss and gradient of some images. Statistics of a step need all its draws before a gradient."""
        if self.spec.of.has_statistics and len(self._chunks()) > 1:
            with memory.gathering():
                self._slope(rows, memory)
            with memory.settled():
                return self._slope(rows, memory)
        return self._slope(rows, memory)

    def _slope(self, rows: range, memory: Memory) -> Slope:
        mean = _Mean(is_of_losses=self.spec.loss == "mean_loss")
        for draws in self._chunks():
            memory.num_draws = len(draws)
            found = self.spec.of.slope(
                self.classifier,
                *self._pairs(rows, draws),
                loss=self.loss.at(self._positions(rows, draws)),
                memory=memory,
                generator=self._noise(rows, draws),
            )
            mean.add(found.level, found.gradient, num_draws=len(draws))
        assert mean.gradient is not None, "there is at least one draw"
        return Slope(mean.level(), mean.gradient)

    def level(self, rows: range) -> Level:
        """Loss of some images."""
        mean = _Mean(is_of_losses=self.spec.loss == "mean_loss")
        for draws in self._chunks():
            found = self.spec.of.level(
                self.classifier,
                *self._pairs(rows, draws),
                loss=self.loss.at(self._positions(rows, draws)),
                generator=self._noise(rows, draws),
            )
            mean.add(found, None, num_draws=len(draws))
        return mean.level()

    def finish(self) -> None:
        """Count the draws as taken."""
        if isinstance(self.generator, Streams):
            self.generator.skip(self.spec.num_draws * self.passes_per_draw)

    @property
    def _is_drawn_by_calls(self) -> bool:
        """Whether each draw needs a call of its own: a foreign module may draw a number for all its rows."""
        return self.classifier.has_noise_of_its_own

    @property
    def _num_rows(self) -> int:
        return rows_for_draws(len(self.images))

    def _chunks(self) -> list[range]:
        size = 1 if self._is_drawn_by_calls else min(self._num_rows, self.spec.num_draws)
        starts = range(0, self.spec.num_draws, size)
        return [range(start, min(start + size, self.spec.num_draws)) for start in starts]

    def _pairs(self, rows: range, draws: range) -> tuple[Tensor, Tensor]:
        """Images [S * R, C, H, W] and labels [S * R]: for each draw all images."""
        images, labels = self.images[rows.start : rows.stop], self.labels[rows.start : rows.stop]
        return images.repeat(len(draws), 1, 1, 1), labels.repeat(len(draws))

    def _positions(self, rows: range, draws: range) -> Tensor:
        return torch.tensor(list(rows), device=self.images.device).repeat(len(draws))

    def _noise(self, rows: range, draws: range) -> Randomness:
        """Draw j of an image is the same whatever it is passed together with."""
        if not isinstance(self.generator, Streams):
            return self.generator
        ahead = self.passes_per_draw * torch.tensor(list(draws)).repeat_interleave(len(rows))
        return self.generator.part(self._positions(rows, draws).cpu(), ahead=ahead)


class _Mean:
    """Running mean over draws, of losses or of probabilities exp(-loss)."""

    def __init__(self, *, is_of_losses: bool):
        self.is_of_losses = is_of_losses
        self.gradient: Tensor | None = None
        self._num_seen = 0
        self._loss: Tensor | float = 0.0
        self._wrong: Tensor | float = 0.0
        self._log_sum: Tensor | None = None

    def add(self, level: Level, gradient: Tensor | None, *, num_draws: int) -> None:
        """Take in a chunk of draws: [S * R] losses and errors, [S * R, C, H, W] gradients."""
        losses_SR = level.loss.unflatten(0, (num_draws, -1))
        self._num_seen += num_draws
        self._loss = self._loss + losses_SR.sum(0)
        self._wrong = self._wrong + level.wrong.unflatten(0, (num_draws, -1)).sum(0)
        earlier, self._log_sum = self._log_sum, _log_sum(self._log_sum, losses_SR)
        if gradient is None:
            return
        gradient_SR = gradient.unflatten(0, (num_draws, -1))
        if self.is_of_losses:
            chunk = gradient_SR.sum(0) / self._num_seen
            kept = torch.full_like(losses_SR[0], 1 - num_draws / self._num_seen)
        else:  # weights are the draws' shares of the probability so far
            chunk = (gradient_SR * _per_image((-losses_SR - self._log_sum).exp())).sum(0)
            kept = torch.zeros_like(losses_SR[0]) if earlier is None else (earlier - self._log_sum).exp()
        self.gradient = chunk if self.gradient is None else self.gradient * _per_image(kept) + chunk

    def level(self) -> Level:
        """Loss and errors over all draws."""
        assert isinstance(self._loss, Tensor)
        assert isinstance(self._wrong, Tensor)
        assert self._log_sum is not None
        wrong = self._wrong / self._num_seen
        if self.is_of_losses:
            return Level(self._loss / self._num_seen, wrong)
        return Level(math.log(self._num_seen) - self._log_sum, wrong)


def _holds_expectation(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_holds_expectation, value))
    if not isinstance(value, AbstractGradient):
        return False
    return isinstance(value, Expectation) or any(
        _holds_expectation(getattr(value, f.name)) for f in fields(value)
    )


def _log_sum(earlier: Tensor | None, losses_SR: Tensor) -> Tensor:
    log_sum = torch.logsumexp(-losses_SR, 0)
    return log_sum if earlier is None else torch.logaddexp(earlier, log_sum)


def _per_image(values: Tensor) -> Tensor:
    return values[..., None, None, None]


EXAMPLES = (Expectation(num_draws=3), Expectation(num_draws=3, loss="mean_probability"))
