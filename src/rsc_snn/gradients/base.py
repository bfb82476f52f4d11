"""What a gradient path is: how an attacker differentiates a network."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients.memory import Memory
from rsc_snn.gradients.parts import logits_in_parts, noise_of_parts, parts_of
from rsc_snn.gradients.slopes import Level, Slope
from rsc_snn.rng import Randomness
from rsc_snn.spec import Spec


@runtime_checkable
class Loss(Protocol):
    """What an attacker maximises: logits [B, K] and labels [B] in, a loss [B] out."""

    @property
    def is_cross_entropy(self) -> bool:
        """Whether it is -log of the true class's probability, which can be averaged as a probability."""
        raise NotImplementedError

    def at(self, rows: Tensor) -> "Loss":
        """Return the loss for a batch that holds these rows of the present one, [R] positions, some repeated.

        A loss that knows something of each image picks it out here; any other returns itself.
        """
        raise NotImplementedError

    def __call__(self, logits: Tensor, labels: Tensor, /) -> Tensor:
        """Return the loss of each image."""
        raise NotImplementedError


@dataclass(frozen=True)
class Obstacle:
    """Why a path cannot be used on a classifier.

    Attributes:
        reason: In words that follow "not applicable:".
        weakens: Whether the classifier may have what the path needs, out of our reach, so that an evaluation
            without it is not reliable.
    """

    reason: str
    weakens: bool


@dataclass(frozen=True, kw_only=True)
class AbstractGradient(Spec):
    """A way to get the derivative of an attack's loss with respect to the image."""

    @abstractmethod
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
        """Return loss and gradient of each image; no image influences another's.

        Args:
            classifier: In eval mode.
            images: Where to differentiate, in [0, 1].
            labels: Class of each image.
            loss: What the attacker maximises.
            generator: Where the defence's noise comes from.
            memory: Statistics of this attack so far; a path without statistics leaves it alone.
        """
        raise NotImplementedError

    @abstractmethod
    def level(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> Level:
        """Return the loss of each image over as many draws as ``slope`` takes, without a gradient."""
        raise NotImplementedError

    @property
    @abstractmethod
    def num_passes(self) -> int:
        """Passes through the network, each with a draw of its own, that one ``slope`` takes."""
        raise NotImplementedError

    @property
    @abstractmethod
    def num_levels(self) -> int:
        """Passes that one ``level`` takes."""
        raise NotImplementedError

    @property
    @abstractmethod
    def has_statistics(self) -> bool:
        """Whether it remembers something between the steps of an attack."""
        raise NotImplementedError

    @abstractmethod
    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """Return why this path cannot differentiate ``classifier`` (tried on ``images``), or None."""
        raise NotImplementedError

    @final
    def loss_and_gradient(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B C H W"]]:
        """Return loss and gradient of each image at the first step of an attack."""
        found = self.slope(classifier, images, labels, loss=loss, generator=generator, memory=Memory())
        return found.level.loss, found.gradient


@dataclass(frozen=True, kw_only=True)
class AbstractPath(AbstractGradient):
    """A path of a single draw: backpropagation with the neurons differentiated in some way."""

    @abstractmethod
    def attached(self, classifier: AbstractClassifier, memory: Memory) -> AbstractContextManager[None]:
        """Let the neurons be differentiated in this way for one pass, and restore them whatever happens."""
        raise NotImplementedError

    @final
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
        """Return loss and gradient over a fresh draw, in one pass, or in parts where the rows are limited."""
        parts = parts_of(classifier, len(images), keeps_graph=True)
        if len(parts) == 1:
            return self._pass(classifier, images, labels, loss, generator, memory)
        slopes = [
            self._pass(
                classifier,
                images[part.start : part.stop],
                labels[part.start : part.stop],
                loss.at(torch.arange(part.start, part.stop, device=images.device)),
                noise,
                memory.part(tuple(part), num_draws=1),
            )
            for part, noise in zip(parts, noise_of_parts(generator, parts), strict=True)
        ]
        return Slope.joined(slopes)

    def _pass(
        self,
        classifier: AbstractClassifier,
        images: Tensor,
        labels: Tensor,
        loss: Loss,
        generator: Randomness,
        memory: Memory,
    ) -> Slope:
        with self.attached(classifier, memory), torch.enable_grad():
            leaf = images.detach().requires_grad_()
            logits = classifier.logits(leaf, generator)
            losses = loss(logits, labels)
            gradient = None
            if losses.requires_grad:
                (gradient,) = torch.autograd.grad(losses.sum(), leaf, allow_unused=True)
        if gradient is None:
            raise InputError(
                "the logits do not depend on the images by any differentiable path; a module that "
                "detaches or thresholds its input cannot be attacked by a gradient"
            )
        return Slope(_level(losses, logits, labels), gradient)

    @final
    def level(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> Level:
        """Return the loss over a fresh draw."""
        with torch.no_grad():
            logits = logits_in_parts(classifier, images, generator)
            return _level(loss(logits, labels), logits, labels)

    @property
    @final
    def num_passes(self) -> int:
        """One."""
        return 1

    @property
    @final
    def num_levels(self) -> int:
        """One."""
        return 1


@dataclass(frozen=True, kw_only=True)
class AbstractWrapper(AbstractGradient):
    """A path that changes the slope of another one, and leaves it all else.

    Args:
        of: The path that answers.
    """

    of: AbstractGradient

    def level(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        loss: Loss,
        generator: Randomness,
    ) -> Level:
        """Return the path's."""
        return self.of.level(classifier, images, labels, loss=loss, generator=generator)

    @property
    @final
    def num_passes(self) -> int:
        """Those of the path."""
        return self.of.num_passes

    @property
    @final
    def num_levels(self) -> int:
        """Those of the path."""
        return self.of.num_levels

    @property
    @final
    def has_statistics(self) -> bool:
        """Whether the path has."""
        return self.of.has_statistics

    def obstacle(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> Obstacle | None:
        """That of the path."""
        return self.of.obstacle(classifier, images)


def _level(losses: Tensor, logits: Tensor, labels: Tensor) -> Level:
    return Level(losses.detach(), (logits.detach().argmax(-1) != labels).to(losses.dtype))
