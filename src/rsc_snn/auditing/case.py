"""The network under audit, its images, and measurements that checks share: each is made once.

Axes: N images, in batches of B.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rsc_snn.attacks import APGD, FGSM, PGD, AbstractAttack, Attempt
from rsc_snn.attacks.conditions import answered_classes
from rsc_snn.auditing.budget import Budget
from rsc_snn.auditing.trail import Followed, Trail
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.evaluation.judge import Votes, collect_votes
from rsc_snn.gradients import BPTT, AbstractGradient, Expectation
from rsc_snn.rng import Streams

BATCH_SIZE = 64
_PAIRS_PER_PASS = 128
_MARKS = (1, 5, 20, 50, 100, 200)  # numbers of steps whose points may stand for an attack

Accuracies = np.ndarray[tuple[int], np.dtype[np.float64]]  # [N], each the share of right draws


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
        return answered_classes(self.classifier, self.images)

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

    @cached_property
    def clean(self) -> Accuracies:
        """Accuracy of each image as it is."""
        return self.score(self.images)

    @cached_property
    def single_step(self) -> Accuracies:
        """Accuracy under FGSM."""
        return self.score(self.crafted(FGSM(eps=self.eps), self.path)[0])

    @property
    def white_box(self) -> Accuracies:
        """Accuracy under the reference attack: the budget's steps of PGD."""
        return self.worst_until(self.budget.steps)

    def ascended(self, eps: float, num_steps: int, path: AbstractGradient | None = None) -> Accuracies:
        """Accuracy under PGD, of the worst point on its way, by the reference's path or another."""
        path = path or self.path
        if (eps, num_steps, path) == (self.eps, self.budget.steps, self.path):
            return self.white_box
        key = (eps, num_steps, path)
        if key not in self._kept:
            points, _ = self._followed(eps, num_steps, path, on=self.classifier)
            self._kept[key] = self.score_worst(list(points.values()))
        return self._kept[key]

    def worst_until(self, steps: int) -> Accuracies:
        """Accuracy of the worst point of the reference attack's first ``steps`` steps."""
        key = ("until", steps)
        if key not in self._kept:
            self._kept[key] = self.score_worst(self._points(steps))
        return self._kept[key]

    @property
    def marks(self) -> list[int]:
        """Numbers of steps of the reference attack whose points are kept."""
        return [mark for mark in self._way[0] if mark > 0]

    def margins_after(self, steps: int) -> Tensor:
        """Mean margin of each image on held-out draws at a mark of the reference attack, or 0 steps, [N]."""
        return self.votes(self._way[0][steps], "heldout", self.num_draws).margin

    @property
    def loss_by_steps(self) -> Tensor:
        """Loss of each image before each step of the reference attack, [steps, N]."""
        return self._way[1]

    @cached_property
    def strongest(self) -> Accuracies:
        """Accuracy under the worst of the reference attack and APGD, of as many steps."""
        return self.score_worst([*self._points(self.budget.steps), *self._chosen_steps])

    @cached_property
    def strongest_long(self) -> Accuracies:
        """The same with the long run of PGD."""
        return self.score_worst([*self._points(self.budget.long_steps), *self._chosen_steps])

    @cached_property
    def _chosen_steps(self) -> list[Tensor]:
        return self.crafted(APGD(eps=self.eps, num_steps=self.budget.steps), self.path)

    def _points(self, steps: int) -> list[Tensor]:
        return [points for mark, points in self._way[0].items() if 0 < mark <= steps]

    def transferred(self, source: AbstractClassifier) -> Accuracies:
        """Accuracy under the reference attack on another network."""
        path: AbstractGradient = BPTT()
        if source.varies(self.images[:BATCH_SIZE]):
            path = Expectation(of=path, num_draws=self.budget.gradient_draws)
        points, _ = self._followed(self.eps, self.budget.steps, path, on=source)
        return self.score_worst(list(points.values()))

    def crafted(self, attack: AbstractAttack, path: AbstractGradient) -> list[Tensor]:
        """Return the candidates of an attack for all images, [N, C, H, W] each."""
        found = [self._attempt(attack, path, rows, on=self.classifier) for rows in self.batches()]
        parts = [[attempt.images, *(images for _, images in attempt.others)] for attempt in found]
        return [torch.cat(part) for part in zip(*parts, strict=True)]

    def score(self, images: Tensor) -> Accuracies:
        """Accuracy of each image on draws that nothing was chosen by."""
        return self.votes(images, "score", self.num_draws).accuracy.numpy()

    def score_worst(self, candidates: Sequence[Tensor]) -> Accuracies:
        """Choose the worst candidate of each image on held-out draws, and score it on others."""
        if len(candidates) == 1:
            return self.score(candidates[0])
        worst, votes = candidates[0], self.votes(candidates[0], "heldout", self.num_draws)
        for images in candidates[1:]:
            worst, votes = self.worse(worst, votes, images, self.num_draws)
        return self.score(worst)

    def worse(self, worst: Tensor, votes: Votes, images: Tensor, num_draws: int) -> tuple[Tensor, Votes]:
        """Replace the worst points so far, with their held-out votes, where ``images`` are worse."""
        new = self.votes(images, "heldout", num_draws)
        is_worse = new.are_worse_than(votes)
        merged = Votes(
            torch.where(is_worse[:, None], new.counts, votes.counts),
            torch.where(is_worse, new.accuracy, votes.accuracy),
            torch.where(is_worse, new.margin, votes.margin),
        )
        return torch.where(is_worse.to(images.device)[:, None, None, None], images, worst), merged

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

    @cached_property
    def _way(self) -> tuple[dict[int, Tensor], Tensor]:
        budget = self.budget
        extra = (0, budget.steps)
        return self._followed(self.eps, budget.long_steps, self.path, on=self.classifier, extra=extra)

    def _followed(
        self,
        eps: float,
        num_steps: int,
        path: AbstractGradient,
        *,
        on: AbstractClassifier,
        extra: tuple[int, ...] = (),
    ) -> tuple[dict[int, Tensor], Tensor]:
        """Run PGD; return its points by number of steps, and the losses before each step, [steps, N]."""
        attack = PGD(eps=eps, step_size=eps / 4, num_steps=num_steps, random_start=True)
        wanted = sorted({mark for mark in (*_MARKS, *extra, num_steps) if mark <= num_steps})
        points, losses = [], []
        for rows in self.batches():
            trail = Trail(wanted)
            attempt = self._attempt(attack, Followed(of=path, trail=trail), rows, on=on)
            points.append({**trail.points, num_steps: attempt.images})
            losses.append(torch.stack(trail.losses).cpu())
        joined = {mark: torch.cat([part[mark] for part in points]) for mark in wanted}
        return joined, torch.cat(losses, dim=1)

    def _attempt(
        self, attack: AbstractAttack, path: AbstractGradient, rows: slice, *, on: AbstractClassifier
    ) -> Attempt:
        images, cost = self.images[rows], attack.cost
        self.passes += len(images) * (cost.slopes * path.num_passes + cost.levels * path.num_levels)
        noise = self.noise("attack", rows)
        return attack.attempt(on, images, self.labels[rows], gradient=path, generator=noise)
