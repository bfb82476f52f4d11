"""Attacks within certified radii; ``within_radius`` looks harder and longer."""

from dataclasses import replace

import torch
from torch import nn

import rsc_snn as rs
from rsc_snn.certification.certificate import Certificate
from tests.certification.bases import Unclamped
from tests.certification.within_radius import Search, is_violated
from tests.helpers import seeded


def linear() -> tuple[rs.SpikingClassifier, torch.Tensor, list[Certificate]]:
    """Two classes apart by a plane, unclamped noise; images at several distances from it."""
    weights = nn.Linear(16, 2)
    with torch.no_grad():
        weights.weight.copy_(torch.stack([torch.ones(16), -torch.ones(16)]) / 8)
        weights.bias.zero_()
        weights.bias[0] = -1.75
    classifier = rs.wrap(nn.Sequential(nn.Flatten(2), weights).eval(), coding=Unclamped(std=0.25))
    assert isinstance(classifier, rs.SpikingClassifier)
    shades = 0.5 + 0.05 * torch.arange(-1, 2).reshape(3, 1, 1, 1)
    images = shades + 0.1 * torch.rand(3, 1, 4, 4, generator=seeded(0))
    labels = torch.zeros(3, dtype=torch.int64)
    found = rs.certify(classifier, images, labels, num_estimate=20_000)
    return classifier, images, [each for each in found if each.predicted is not None]


SEARCH = Search(num_restarts=2, num_steps=5, num_draws=5, num_heldout=100, num_judging=4000)


def test_a_linear_base_is_broken_beyond_its_radius_and_not_within() -> None:
    classifier, images, found = linear()
    assert len(found) == 3
    for each in found:
        assert not is_violated(classifier, images[each.index], each, SEARCH, num_classes=2)
        planted = replace(each, radius=1.5 * each.radius)
        assert is_violated(classifier, images[each.index], planted, SEARCH, num_classes=2)
