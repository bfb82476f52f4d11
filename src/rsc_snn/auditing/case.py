"""The network under audit, its images, and measurements that checks share: each is made once.

Axes: N images, in batches of B.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from rsc_snn.attacks import FGSM, PGD, AbstractAttack
from rsc_snn.auditing.budget import Budget
from rsc_snn.auditing.trail import Followed, Trail
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.evaluation.judge import Votes, collect_votes, most_harmful
from rsc_snn.gradients import BPTT, AbstractGradient, Expectation
from rsc_snn.rng import Streams

BATCH_SIZE = 64
_PAIRS_PER_PASS = 128

Accuracies = np.ndarray[tuple[int], np.dtype[np.float64]]  # [N], each the share of right draws
T = TypeVar("T")


class Case:
    """A classifier in eval mode with images and labels on its device.

    Args:
        classifier: What is audited.
        images: Pixels in [0, 1], [N, C, H, W].
        labels: Class of each image, [N].
        indices: Index of each image in its data set, [N].
        sources: Classifiers whose adversarial images are transferred.
        eps: Strength of the attacks, l_inf, pixel units.
        num_draws: Scoring draws of a random classifier.
        seed: Of all noise.
        budget: How much is spent.
    """

    def __init__(
        self,
        classifier: AbstractClassifier,
        images: Tensor,
        labels: Tensor,
        *,
        indices: Tensor,
        sources: Sequence[AbstractClassifier],
        eps: float,
        num_draws: int,
        seed: int,
        budget: Budget,
    ):
        self.classifier, self.images, self.labels = classifier, images, labels.to(images.device)
        self.indices, self.sources, self.eps = indices, tuple(sources), eps
        self.seed, self.budget, self.passes = seed, budget, 0
        self.is_random = classifier.varies(images[:BATCH_SIZE])
        self.num_draws = num_draws if self.is_random else 1
        self._kept: dict[tuple[object, ...], Accuracies] = {}

    @cached_property
    def num_classes(self) -> int:
        """K, found by a call."""
        with torch.no_grad():
            return self.classifier.logits(self.images[:1], self.noise("probe", slice(1))).shape[-1]

    @property
    def chance(self) -> float:
        """Accuracy of guessing: 1 / K."""
        return 1 / self.num_classes

    @property
    def path(self) -> AbstractGradient:
        """The gradient of the reference: BPTT, over several draws for a random network."""
        return self.averaged(BPTT())

    def averaged(self, path: AbstractGradient) -> AbstractGradient:
        """Return a path of one draw, averaged over the budget's draws for a random network."""
        draws = self.budget.gradient_draws
        return Expectation(of=path, num_draws=draws) if self.is_random else path

    def ascent(self, eps: float, num_steps: int) -> PGD:
        """PGD from a random start with steps of a quarter of eps."""
        return PGD(eps=eps, step_size=eps / 4, num_steps=num_steps, random_start=True)

    @cached_property
    def clean(self) -> Accuracies:
        """Accuracy of each image as it is."""
        return self.score(self.images)

    @cached_property
    def single_step(self) -> Accuracies:
        """Accuracy under FGSM."""
        return self.attacked(FGSM(eps=self.eps))

    @cached_property
    def white_box(self) -> Accuracies:
        """Accuracy under the reference attack: the budget's steps of PGD."""
        return self.by_steps[self.budget.steps]

    @property
    def followed_steps(self) -> list[int]:
        """Numbers of steps at which the reference attack is scored."""
        budget = self.budget
        marks = {1, 2, 5, 10, 20, 50, 100, 200, budget.steps, budget.long_steps}
        return sorted(mark for mark in marks if mark <= budget.long_steps)

    @cached_property
    def by_steps(self) -> dict[int, Accuracies]:
        """Accuracy after so many steps of the reference attack, all on one way."""
        return {steps: self.score(images) for steps, images in self._way[0].items()}

    @property
    def loss_by_steps(self) -> Tensor:
        """Loss of each image before each step of the reference attack, [steps, N]."""
        return self._way[1]

    def attacked(self, attack: AbstractAttack, path: AbstractGradient | None = None) -> Accuracies:
        """Accuracy of each image under an attack, by the reference's gradient path unless told otherwise."""
        path = path or self.path
        if attack == self.ascent(self.eps, self.budget.steps) and path == self.path:
            return self.white_box
        key = (attack, path)
        if key not in self._kept:
            self._kept[key] = self.score_worst(self.crafted(attack, path))
        return self._kept[key]

    def crafted(
        self, attack: AbstractAttack, path: AbstractGradient, *, on: AbstractClassifier | None = None
    ) -> list[Tensor]:
        """Return the candidates of an attack for all images, [N, C, H, W] each, made ``on`` a classifier."""
        found = []
        for rows in self.batches():
            attempt = attack.attempt(
                on or self.classifier,
                self.images[rows],
                self.labels[rows],
                gradient=path,
                generator=self.noise("attack", rows),
            )
            found.append([attempt.images, *(images for _, images in attempt.others)])
        cost = attack.cost
        self.passes += len(self.images) * (cost.slopes * path.num_passes + cost.levels * path.num_levels)
        return [torch.cat(parts) for parts in zip(*found, strict=True)]

    def score(self, images: Tensor) -> Accuracies:
        """Accuracy of each image on draws that nothing was chosen by."""
        return self.votes(images, "score", self.num_draws).accuracy.numpy()

    def score_worst(self, candidates: Sequence[Tensor]) -> Accuracies:
        """Choose the worst candidate of each image on held-out draws, and score it on others."""
        if len(candidates) == 1:
            return self.score(candidates[0])
        votes = [self.votes(images, "heldout", self.num_draws) for images in candidates]
        winners = most_harmful(votes).to(self.images.device)
        return self.score(torch.stack(list(candidates))[winners, torch.arange(len(self.images))])

    def votes(self, images: Tensor, purpose: str, num_draws: int) -> Votes:
        """Answers of the classifier to [N, C, H, W] over draws of a purpose."""
        chunk = min(max(1, _PAIRS_PER_PASS // BATCH_SIZE), num_draws)
        found = [
            collect_votes(
                self.classifier,
                images[rows],
                self.labels[rows],
                indices=self.indices[rows],
                seed=self.seed,
                purpose=purpose,
                num_draws=num_draws,
                draw_chunk=chunk,
            )
            for rows in self.batches()
        ]
        self.passes += len(images) * num_draws
        parts = ([v.counts for v in found], [v.accuracy for v in found], [v.margin for v in found])
        return Votes(*(torch.cat(part) for part in parts))

    def noise(self, purpose: str, rows: slice) -> Streams:
        """The stream of some images."""
        return Streams(self.seed, purpose, self.indices[rows])

    def batches(self) -> list[slice]:
        """Consecutive parts of the images."""
        return [slice(start, start + BATCH_SIZE) for start in range(0, len(self.images), BATCH_SIZE)]

    def by_batch(self, measure: Callable[[slice], T]) -> list[T]:
        """Return a measurement of each batch."""
        return [measure(rows) for rows in self.batches()]

    @cached_property
    def _way(self) -> tuple[dict[int, Tensor], Tensor]:
        attack, wanted = self.ascent(self.eps, self.budget.long_steps), self.followed_steps
        points, losses = [], []
        for rows in self.batches():
            trail = Trail(wanted)
            attempt = attack.attempt(
                self.classifier,
                self.images[rows],
                self.labels[rows],
                gradient=Followed(of=self.path, trail=trail),
                generator=self.noise("attack", rows),
            )
            points.append({**trail.points, attack.num_steps: attempt.images})
            losses.append(torch.stack(trail.losses).cpu())
        self.passes += len(self.images) * attack.num_steps * self.path.num_passes
        joined = {steps: torch.cat([part[steps] for part in points]) for steps in wanted}
        return joined, torch.cat(losses, dim=1)
