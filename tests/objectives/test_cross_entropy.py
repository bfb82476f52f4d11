"""The objective against a hand calculation."""

import math

import pytest
import torch

import rsc_snn as rs
from tests.helpers import Linear, small_classifier


def test_cross_entropy_of_the_mean_logits_by_hand() -> None:
    """Scores 0.3 and -0.1 (weight 1 on one pixel minus 0.2): logits (-s, s), loss log(1 + exp(-+2 s))."""
    classifier = rs.SpikingClassifier(Linear(torch.ones(1, 1, 1)), rs.codings.Direct(), 3, mean=(0.2,))
    images = torch.tensor([0.5, 0.1]).reshape(2, 1, 1, 1)
    loss = rs.objectives.CrossEntropy()(classifier, images, torch.tensor([1, 1]))
    assert float(loss.detach()) == pytest.approx(
        (math.log(1 + math.exp(-0.6)) + math.log(1 + math.exp(0.2))) / 2
    )


def test_the_gradient_reaches_every_parameter() -> None:
    classifier = small_classifier().train()
    rs.objectives.CrossEntropy()(classifier, torch.rand(8, 1, 8, 8), torch.arange(8)).backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in classifier.parameters())


def test_noise_comes_from_the_generator() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    objective, images = rs.objectives.CrossEntropy(), torch.rand(8, 1, 8, 8)
    losses = [
        objective(classifier, images, torch.arange(8), generator=rs.Streams(seed, "train", range(8)))
        for seed in (0, 0, 1)
    ]
    assert losses[0] == losses[1] != losses[2]
