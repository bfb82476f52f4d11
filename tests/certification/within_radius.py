"""Looking for an attack that takes the majority within a certified radius. There must be none.

    python -m tests.certification.within_radius RUN --images 100

Each image is attacked by PGD in l_2 at 0.99 of its radius, from several random starts, over several draws per
gradient; the start that leaves the fewest votes on held-out draws is judged on fresh ones. A violation is a
count of votes so low that a probability of 1/2 or more is rejected at 1e-6.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy import stats
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import L2, PGD
from rsc_snn.certification.certificate import Certificate
from rsc_snn.certification.votes import Voter
from rsc_snn.classifier import AbstractClassifier

SIGNIFICANCE = 1e-6


@dataclass(frozen=True)
class Search:
    """How hard one looks."""

    num_restarts: int = 10
    num_steps: int = 20
    num_draws: int = 20
    num_heldout: int = 200
    num_judging: int = 10_000
    share: float = 0.99


def is_violated(
    classifier: AbstractClassifier, image: Tensor, found: Certificate, search: Search, *, num_classes: int
) -> bool:
    """Whether an attack on an image [C, H, W] surely takes the majority from its certified class."""
    assert found.predicted is not None
    copies = image.expand(search.num_restarts, *image.shape)
    keys = found.index * search.num_restarts + torch.arange(search.num_restarts)
    eps = search.share * found.radius
    size, steps = 2.5 * eps / search.num_steps, search.num_steps
    attack = PGD(norm=L2(), eps=eps, step_size=size, num_steps=steps, random_start=True)
    moved = attack(
        classifier,
        copies,
        torch.full((len(copies),), found.predicted),
        gradient=rs.gradients.Expectation(num_draws=search.num_draws),
        generator=rs.Streams(1, "attack", keys),
    )
    assert float(L2().size(moved - copies).max()) <= found.radius
    voter = Voter(classifier, num_classes, seed=1, rows_per_pass=512)
    votes = voter.count(moved, keys, "heldout", first=0, num_draws=search.num_heldout)[:, found.predicted]
    worst = int(votes.argmin())
    judged = voter.count(
        moved[worst : worst + 1], keys[worst : worst + 1], "score", first=0, num_draws=search.num_judging
    )
    left = int(judged[0, found.predicted])
    return bool(stats.binom.cdf(left, search.num_judging, 0.5) < SIGNIFICANCE)


def main() -> None:
    """Certify and attack the first test images of a run on digits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--samples", type=int, default=10_000)
    options = parser.parse_args()
    classifier = rs.load(options.run)
    test = rs.data.load("digits", None, "test").at(slice(options.images))
    images = test.pixels()
    found = [
        each
        for each in rs.certify(classifier, images, test.labels, num_estimate=options.samples)
        if each.predicted is not None
    ]
    search = Search()
    violated = [is_violated(classifier, images[each.index], each, search, num_classes=10) for each in found]
    print(f"{len(images)} images, {len(found)} certified, {sum(violated)} violations")


if __name__ == "__main__":
    main()
