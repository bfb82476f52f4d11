"""What an attack is: a search. The ball, the mode and the randomness are handled here."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from rsc_snn.attacks.conditions import answered_classes, evaluation_mode, frozen
from rsc_snn.attacks.losses import CE, AbstractLoss
from rsc_snn.attacks.norms import AbstractNorm, Linf
from rsc_snn.checks import require_images, require_labels
from rsc_snn.classifier import AbstractClassifier, require_classifier
from rsc_snn.gradients import BPTT, AbstractGradient, Level, Loss, Memory, Slope
from rsc_snn.gradients.parts import logits_in_parts
from rsc_snn.rng import Randomness, Streams, held_draws
from rsc_snn.spec import Spec


@dataclass(frozen=True)
class Victim:
    """A classifier as a search sees it: losses and gradients at a point, over fresh noise.

    Attributes:
        classifier: In eval mode.
        labels: Class of each image.
        loss: What is maximised.
        gradient: How the classifier is differentiated.
        generator: Where noise comes from, the attack's own and the defence's.
        steps_with_gradient: Counts, for each image, the gradients that were not zero everywhere or NaN.
        num_slopes: Counts the gradients that were asked for, one number in a list.
        memory: Statistics of the gradient path, of this attack and restart only.
        is_random: Whether the classifier's answers vary; None if that was not asked yet.
    """

    classifier: AbstractClassifier
    labels: Int64[Tensor, "B"]
    loss: Loss
    gradient: AbstractGradient
    generator: Randomness
    steps_with_gradient: Int64[Tensor, "B"]
    num_slopes: list[int] = field(default_factory=lambda: [0])
    memory: Memory = field(default_factory=Memory)
    is_random: bool | None = None

    def slope(self, images: Float[Tensor, "B C H W"]) -> Slope:
        """Return each image's loss, errors and gradient; every call draws the defence's noise anew."""
        found = self.gradient.slope(
            self.classifier,
            images,
            self.labels,
            loss=self.loss,
            generator=self.generator,
            memory=self.memory,
        )
        gradient = found.gradient.nan_to_num(nan=0.0)  # a pixel without a number does not stop the others
        self.steps_with_gradient.add_((gradient.abs().flatten(1).amax(1) > 0).long())
        self.num_slopes[0] += 1
        return replace(found, gradient=gradient)

    def level(self, images: Float[Tensor, "B C H W"]) -> Level:
        """Return the loss and errors of each image over fresh noise, without a gradient."""
        return self.gradient.level(
            self.classifier, images, self.labels, loss=self.loss, generator=self.generator
        )

    def held(self) -> "Held":
        """Return losses over draws that are taken now and stay the same, so that points can be compared.

        Among many points that are each looked at over other draws, the luckiest would seem the worst, and no
        later point could beat it.
        """
        return Held(self, held_draws(self.generator, self.gradient.num_levels))

    def varies(self, images: Float[Tensor, "B C H W"]) -> bool:
        """Whether the classifier's answers vary, so that one wrong answer proves little."""
        return self.classifier.varies(images) if self.is_random is None else self.is_random

    def restarted(self, loss: AbstractLoss, images: Float[Tensor, "B C H W"], *, restart: int) -> "Victim":
        """Return the same victim for a new start: statistics of the gradient path begin anew.

        Args:
            loss: The attack's; one with targets chooses them from a pass over ``images``.
            images: The images before the attack.
            restart: 0, 1, ...
        """

        def logits() -> Tensor:
            return logits_in_parts(self.classifier, images, self.generator)

        return replace(self, loss=loss.started(logits, self.labels, restart=restart), memory=Memory())


@dataclass(frozen=True)
class Held:
    """A victim at draws that stay the same.

    Attributes:
        victim: Whose losses they are.
        draws: Return a generator at the first of the draws, for some rows of the batch or all.
    """

    victim: Victim
    draws: Callable[[Tensor | None], Randomness]

    def level(self, images: Float[Tensor, "R C H W"], *, rows: Int64[Tensor, "R"] | None = None) -> Level:
        """Return the loss and errors of points of all images, or of those in ``rows``."""
        labels, loss = self.victim.labels, self.victim.loss
        if rows is not None:
            labels, loss = labels[rows], loss.at(rows)
        return self.victim.gradient.level(
            self.victim.classifier, images, labels, loss=loss, generator=self.draws(rows)
        )


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        images: The point that the attack stands for.
        others: Further points for the judge to choose from, by name: "start", "last", "best", and of a
            restart "start 2" and so on.
    """

    images: Float[Tensor, "B C H W"]
    others: tuple[tuple[str, Float[Tensor, "B C H W"]], ...] = ()


@dataclass(frozen=True)
class Attempt:
    """What an attack came back with, projected onto the ball and [0, 1].

    Attributes:
        images: Adversarial images in [0, 1].
        others: Further candidates, by name.
        is_blind: True where no gradient that was asked for was different from zero, [B].
    """

    images: Float[Tensor, "B C H W"]
    others: tuple[tuple[str, Float[Tensor, "B C H W"]], ...]
    is_blind: Bool[Tensor, "B"]


@dataclass(frozen=True)
class Cost:
    """What an attack asks of its victim.

    The one pass with which a restart chooses targets, for a loss that has some, is not counted.

    Attributes:
        slopes: Gradients, at most.
        levels: Losses without a gradient, at most.
        searches: How often it searches; each time the judge looks at its answer, start, last and best point.
    """

    slopes: int = 0
    levels: int = 0
    searches: int = 1


@dataclass(frozen=True, kw_only=True)
class AbstractAttack(Spec):
    """A search for an image near the given one that the classifier gets wrong.

    Args:
        eps: Largest perturbation, in pixel units: 8/255, not 8.
        norm: How perturbations are measured.
        loss: What the search maximises.
    """

    eps: float = 8 / 255
    norm: AbstractNorm = field(default_factory=Linf)
    loss: AbstractLoss = field(default_factory=CE)

    def __post_init__(self) -> None:
        self.norm.require_eps(self.eps)

    @final
    def __call__(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        gradient: AbstractGradient = BPTT(),  # noqa: B008 - frozen
        generator: Generator | Streams | None = None,
    ) -> Float[Tensor, "B C H W"]:
        """Return adversarial images in [0, 1], at most ``eps`` from ``images``.

        The classifier is attacked in eval mode, whatever mode it is in; the mode of every submodule is
        restored. Torch's global random state is neither read nor changed.

        Args:
            classifier: A ``SpikingClassifier``, or any module through ``rs.wrap``.
            images: Pixels in [0, 1].
            labels: True class of each image.
            gradient: How the classifier is differentiated.
            generator: Randomness of attack and defence; None is Streams(0, "attack", range(B)).
        """
        return self.attempt(classifier, images, labels, gradient=gradient, generator=generator).images

    @final
    def attempt(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        gradient: AbstractGradient,
        generator: Generator | Streams | None,
        is_random: bool | None = None,
    ) -> Attempt:
        """Do what calling the attack does, and say where it was blind.

        ``is_random`` tells whether the classifier's answers vary; None asks it.
        """
        require_classifier(classifier)
        require_images(images)
        num_classes = classifier.num_classes or answered_classes(classifier, images)
        require_labels(labels, num_images=len(images), num_classes=num_classes)
        self.norm.require_eps(self.eps, num_pixels=images[0].numel())
        if generator is None:
            generator = Streams(0, "attack", range(len(images)))
        with evaluation_mode(classifier), frozen(classifier):
            return self.perturb(
                classifier, images, labels, gradient=gradient, generator=generator, is_random=is_random
            )

    @final
    def perturb(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        gradient: AbstractGradient,
        generator: Randomness,
        is_random: bool | None = None,
    ) -> Attempt:
        """Do what ``attempt`` does, without checks and in the mode that the classifier is in."""
        with torch.inference_mode(False), torch.no_grad():
            originals, targets = images.detach().clone(), labels.to(images.device).clone()
            seeing = torch.zeros_like(targets)
            victim = Victim(classifier, targets, self.loss, gradient, generator, seeing, is_random=is_random)
            found = self.search(victim, originals)
            others = tuple((name, self.project(point, originals)) for name, point in found.others)
            is_blind = (seeing == 0) & (victim.num_slopes[0] > 0)
            return Attempt(self.project(found.images, originals), others, is_blind)

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What the search asks of its victim, at most; for the estimate of an evaluation's time."""
        raise NotImplementedError

    @property
    @abstractmethod
    def reach(self) -> float:
        """Longest way from the image that the search can go, in the units of ``eps``."""
        raise NotImplementedError

    @abstractmethod
    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return the points found for each image; they are projected afterwards."""
        raise NotImplementedError

    @final
    def project(
        self, candidates: Float[Tensor, "B C H W"], images: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B C H W"]:
        """Return the candidates moved into the ball around ``images`` and then into [0, 1]."""
        return (images + self.norm.project(candidates - images, self.eps)).clamp(0, 1)
