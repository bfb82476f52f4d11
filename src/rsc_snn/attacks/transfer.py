"""Transfer: images that were made against other networks."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.attacks.base import AbstractAttack, Attempt, Cost, Found, Victim
from rsc_snn.attacks.conditions import answered_classes, evaluation_mode, frozen
from rsc_snn.attacks.kept import Kept, joined, split
from rsc_snn.attacks.losses import CE
from rsc_snn.attacks.pgd import PGD
from rsc_snn.attacks.sources import AbstractSource, as_source
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients import AbstractGradient, Expectation
from rsc_snn.rng import Randomness, Streams


@dataclass(frozen=True, kw_only=True)
class Transfer(AbstractAttack):
    """Black box: attacks each source in the victim's place, and shows the victim what comes of it.

    The paper's Table 4. The gradient path that is given differentiates the *source*; a source whose
    answers do not vary is differentiated once where the path takes many draws. With one source the victim
    is not asked anything; with several the answer is, for each image, the one of highest loss.

    The candidates of a run folder are kept there (``transfer/``), by source, attack, path, seed and image,
    and are not made again for the next victim.

    Args:
        sources: Classifiers in eval mode, or run folders.
        of: The search on the source; its eps and norm do not count: those of this attack do.
    """

    sources: tuple[AbstractSource | nn.Module | Path | str, ...] = ()
    of: AbstractAttack = field(default_factory=PGD)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sources", tuple(as_source(source) for source in self.sources))
        if isinstance(self.of, Transfer):
            raise InputError("of expects a search on the source, got another Transfer")
        if self.loss != CE():
            raise InputError(f"the loss of a transfer is that of its search; set of=PGD(loss={self.loss!r})")

    @property
    def reach(self) -> float:
        """That of the search."""
        return self._search.reach

    @property
    def _search(self) -> AbstractAttack:
        return replace(self.of, eps=self.eps, norm=self.norm)

    @property
    def cost(self) -> Cost:
        """That of the search for each source, which is asked in the victim's place, and a look at each."""
        count = len(self.sources)
        return Cost(
            slopes=count * self._search.cost.slopes,
            levels=count * self._search.cost.levels + (count if count > 1 else 0),
            searches=count * self._search.cost.searches,
        )

    def search(self, victim: Victim, images: Float[Tensor, "B C H W"]) -> Found:
        """Return what was found on the sources."""
        if not self.sources:
            raise InputError("expected at least one source, got none; give Transfer(sources=(run,))")
        attempts = [self._attempt(as_source(source), victim, images) for source in self.sources]
        victim.steps_with_gradient.add_(sum((~attempt.is_blind).long() for attempt in attempts))
        victim.num_slopes[0] += len(attempts)
        names = ["", *(f" {number}" for number in range(2, len(attempts) + 1))]
        others = [
            (f"{name}{suffix}", points)
            for suffix, attempt in zip(names, attempts, strict=True)
            for name, points in (("answer", attempt.images), *attempt.others)
        ]
        if len(attempts) == 1:
            return Found(attempts[0].images, tuple(others[1:]))
        answers = torch.stack([attempt.images for attempt in attempts])
        held = victim.held()
        losses = torch.stack([held.level(answer).loss for answer in answers])
        best = losses.argmax(0)
        return Found(answers[best, torch.arange(len(images), device=images.device)], tuple(others))

    @torch.no_grad()
    def require_sources(self, classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> None:
        """Raise InputError unless every source answers such images, with the victim's number of classes."""
        for source in map(as_source, self.sources):
            attacker = source.classifier(images.device, images.dtype)
            try:
                found = answered_classes(attacker, images)
            except InputError as err:
                raise InputError(f"{source!r} cannot stand in for the victim: {err}") from err
            if found != (expected := answered_classes(classifier, images)):
                raise InputError(
                    f"{source!r} has {found} classes, the victim {expected}; give one that was trained on "
                    "the same data set"
                )

    def _attempt(self, source: AbstractSource, victim: Victim, images: Tensor) -> Attempt:
        """What is kept of the source's images, and what is made now for the others."""
        labels = victim.labels
        kept = Kept.of(source, self._search, victim.gradient, victim.generator)
        if kept is None:
            return self._made(source, images, labels, victim.gradient, victim.generator)
        known = kept.read(images, labels)
        missing = [i for i, attempt in enumerate(known) if attempt is None]
        if missing:
            part = Kept(
                kept.folder, Streams(kept.streams.seed, kept.streams.purpose, kept.streams.indices[missing])
            )
            made = self._made(source, images[missing], labels[missing], victim.gradient, part.streams)
            part.write(images[missing], labels[missing], made)
            for i, attempt in zip(missing, split(made), strict=True):
                known[i] = attempt
        return joined([attempt for attempt in known if attempt is not None])

    def _made(
        self,
        source: AbstractSource,
        images: Tensor,
        labels: Tensor,
        gradient: AbstractGradient,
        generator: Randomness,
    ) -> Attempt:
        classifier = source.classifier(images.device, images.dtype)
        answered_classes(classifier, images)  # a foreign module is tried now, not inside a gradient
        with evaluation_mode(classifier), frozen(classifier):
            path = _path_for(classifier, images, gradient)
            return self._search.perturb(classifier, images, labels, gradient=path, generator=generator)


def _path_for(classifier: AbstractClassifier, images: Tensor, path: AbstractGradient) -> AbstractGradient:
    """One draw is enough for a source that does not vary."""
    if isinstance(path, Expectation) and not classifier.varies(images):
        return path.of
    return path


EXAMPLES = (Transfer(),)
