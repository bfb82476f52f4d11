"""Certificates of a trained spiking network; benchmarks and the lab log have the whole test set."""

from dataclasses import replace

import pytest

import rsc_snn as rs
from rsc_snn.certification.certificate import Certificate
from rsc_snn.data import ImageSet
from rsc_snn.experiments.catalogue import by_name
from tests.certification.within_radius import Search, is_violated


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> rs.SpikingClassifier:
    recipe = by_name("digits-vgg5-rsc0.1")
    recipe = replace(
        recipe,
        num_steps=2,
        network=rs.networks.VGG5(hidden_width=64, width_divisor=2),
        training=replace(recipe.training, epochs=3),
    )
    rs.train(recipe, folder := tmp_path_factory.mktemp("trained") / "run")
    return rs.load(folder)


@pytest.fixture
def test_set() -> ImageSet:
    found = rs.data.load("digits", None, "test")
    assert isinstance(found, ImageSet)
    return found


@pytest.mark.slow
def test_a_decision_takes_at_most_a_fifth_of_the_draws(
    classifier: rs.SpikingClassifier, test_set: ImageSet
) -> None:
    """Certified at 0.25 or not, with the alpha of 100,000 fixed draws; most images decide in hundreds."""
    part = test_set.at(slice(24))
    found = rs.certify(classifier, part.pixels(), part.labels, num_estimate=100_000, radius=0.25)
    assert sum(each.num_draws for each in found) <= 24 * 100_000 / 5
    right = sum(each.radius >= 0.25 and each.predicted == each.label for each in found)
    assert 6 <= right <= 24, "the network has learnt something"
    assert any(each.radius < 0.25 for each in found)


@pytest.mark.slow
def test_no_attack_within_a_certified_radius_takes_the_vote(
    classifier: rs.SpikingClassifier, test_set: ImageSet
) -> None:
    part = test_set.at(slice(6))
    images = part.pixels()
    found = [
        each
        for each in rs.certify(classifier, images, part.labels, num_estimate=1000)
        if each.predicted is not None
    ]
    assert len(found) >= 3
    search = Search(num_restarts=3, num_steps=10, num_draws=5, num_heldout=100, num_judging=2000)

    def is_broken(each: Certificate) -> bool:
        return is_violated(classifier, images[each.index], each, search, num_classes=10)

    assert not any(map(is_broken, found))
    far = replace(found[0], radius=4 * found[0].radius + 1.0)
    assert is_broken(far), "the search finds something"
