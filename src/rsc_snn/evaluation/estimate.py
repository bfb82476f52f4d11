"""How long an evaluation will take and how much memory it needs, from one pass each way."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.attacks import CE
from rsc_snn.attacks.conditions import frozen
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.evaluation.plan import Plan
from rsc_snn.evaluation.sizing import WITH_WORKING_MEMORY, most_kept, weight_bytes
from rsc_snn.gradients import BPTT, Memory
from rsc_snn.rng import Streams

_MOST_PROBED = 16
_CANDIDATES = 4  # of a search, at most: its answer, start, last and best point


@dataclass(frozen=True)
class Estimate:
    """What an evaluation is expected to need at most: images that are lost early cost less.

    Attributes:
        gradient_passes: Passes there and back, per image.
        forward_passes: Passes there only, per image.
        seconds: Of one process.
        num_bytes: Of weights and of the largest pass.
    """

    gradient_passes: int
    forward_passes: int
    seconds: float
    num_bytes: int


def estimate(classifier: AbstractClassifier, images: Tensor, plan: Plan, *, num_images: int) -> Estimate:
    """Time a pass of a few images and multiply.

    Args:
        classifier: In eval mode.
        images: Some images of the run, of which at most 16 are used.
        plan: What will be done.
        num_images: Images that are left for this process, padding included.
    """
    gradients, forwards = passes_per_image(plan)
    probe = images[:_MOST_PROBED]
    streams = Streams(0, "probe", range(len(probe)))

    @torch.no_grad()
    def there() -> None:
        classifier.logits(probe, streams).sum().item()

    seconds = gradients * seconds_there_and_back(classifier, probe) + forwards * _seconds(there)
    kept = most_kept(classifier, probe, plan) * _largest_pass(plan) / len(probe)
    return Estimate(
        gradients,
        forwards,
        seconds / len(probe) * num_images,
        weight_bytes(classifier) + int(WITH_WORKING_MEMORY * kept),
    )


def seconds_there_and_back(classifier: AbstractClassifier, images: Tensor) -> float:
    """Time the gradient of a draw for images on their device, after a first one that warms up."""
    labels = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    streams = Streams(0, "probe", range(len(images)))

    def back() -> None:
        with frozen(classifier):
            found = BPTT().slope(classifier, images, labels, loss=CE(), generator=streams, memory=Memory())
        found.level.loss.sum().item()  # wait for the device

    return _seconds(back)


def _largest_pass(plan: Plan) -> int:
    """Rows of the largest pass there and back: all draws of a batch, or as many as a pass may hold."""
    draws = max(entry.gradient.num_passes for _, entry in plan.entries)
    return min(plan.rows_per_pass, plan.batch_size * draws)


def passes_per_image(plan: Plan) -> tuple[int, int]:
    """Return how many passes there and back, and how many there only, an image takes at most."""
    gradients, forwards = 0, 0
    for _, entries in plan.lists():
        for _, entry in entries:
            cost, path = entry.attack.cost, entry.gradient
            gradients += cost.slopes * path.num_passes
            num_scored = _CANDIDATES * cost.searches + (cost.searches > 1)  # of several, an answer of all
            num_scored += 0 if plan.scores_winner_only else 1
            forwards += cost.levels * path.num_levels + num_scored * plan.num_draws
        forwards += 3 * plan.num_draws  # the clean image, chosen and scored, and the winner
    return gradients, forwards


def _seconds(work: Callable[[], None]) -> float:
    work()  # the first one also warms up
    clock = time.perf_counter()
    work()
    return time.perf_counter() - clock
