"""Defences that are broken on purpose get at least one fail, by the check that is made for them."""

import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.auditing.audit import Audit
from rsc_snn.auditing.checks.blind_gradients import BlindGradients
from rsc_snn.auditing.checks.repeatability import Repeatability
from rsc_snn.auditing.checks.surrogate_width import SurrogateWidth
from rsc_snn.classifier import AbstractClassifier, SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.runs.audit_schema import FAIL, PASS
from tests.auditing import toys
from tests.helpers import seeded, small_classifier


def failed(audit: Audit) -> set[str]:
    return {answer.name for answer in audit.answers if answer.finding.verdict == FAIL}


def labelled(classifier: AbstractClassifier, images: Tensor) -> tuple[Tensor, Tensor]:
    """Images with the classifier's own answers as labels, so that it starts at 100 %."""
    with torch.no_grad():
        return images, classifier.logits(images, seeded(0)).argmax(1)


def audit_of_encoder(module: nn.Module) -> Audit:
    classifier = rs.wrap(module.eval())
    # as on the digits: most pixels black or white, a few between
    images = (1.6 * torch.rand(40, 1, 8, 8, generator=seeded(2)) - 0.3).clamp(0, 1)
    return rs.audit(classifier, *labelled(classifier, images), budget="quick")


def test_a_network_without_an_encoder_passes() -> None:
    assert failed(audit_of_encoder(toys.Encoded())) == set()


def test_a_steep_encoder_fails() -> None:
    assert failed(audit_of_encoder(toys.Steep())) >= {"DeadPixels"}


def test_a_quantised_input_fails() -> None:
    assert failed(audit_of_encoder(toys.Quantised())) >= {"BlindGradients", "DeadPixels", "RisingLoss"}


def test_a_dead_surrogate_fails_and_a_wide_one_breaks_it() -> None:
    """A triangle so narrow that no membrane lies below it: BPTT is blind, wider ones are not."""
    spec = rs.networks.VGG5(hidden_width=16)
    living = small_classifier(spec=spec)
    neuron = rs.neurons.LIF(surrogate=rs.neurons.Triangle(width=1e-9))
    network = spec.build(num_classes=10, image_shape=(1, 8, 8), neuron=neuron)
    network.load_state_dict(living.network.state_dict())
    dead = SpikingClassifier(network, rs.codings.Direct(), 2, (0.3,), (0.4,)).eval()
    images, labels = labelled(dead, torch.rand(24, 1, 8, 8, generator=seeded(3)))
    checks = [BlindGradients(), SurrogateWidth()]
    found = rs.audit(dead, images, labels, budget="quick", eps=0.05, checks=checks)
    assert failed(found) >= {"BlindGradients", "SurrogateWidth"}, found.by_name["SurrogateWidth"].finding


def repeated(classifier: AbstractClassifier) -> str:
    images, labels = toys.grey()
    images = images + 0.01 * torch.rand(images.shape, generator=seeded(1))
    found = rs.audit(classifier, images, labels, budget="quick", checks=[Repeatability()])
    return found.worst


def test_a_stale_state_fails() -> None:
    assert repeated(toys.Stale()) == FAIL


def test_answers_that_depend_on_the_other_images_fail() -> None:
    assert repeated(toys.Mixing()) == FAIL


def test_frozen_noise_fails() -> None:
    assert repeated(toys.Frozen()) == FAIL
    try:
        verdict = repeated(rs.wrap(toys.Reseeding().eval()))
    except InputError:  # refused before it is audited
        verdict = FAIL
    assert verdict == FAIL


def test_fresh_noise_passes() -> None:
    assert repeated(rs.wrap(toys.Drawing().eval())) == PASS


def test_our_own_classifiers_pass() -> None:
    images = torch.rand(12, 1, 8, 8, generator=seeded(3))
    codings = (rs.codings.Direct(), rs.codings.Poisson(), rs.codings.RandomizedSmoothing(variance=0.1))
    for coding in codings:
        classifier = small_classifier(coding)
        labels = torch.zeros(12, dtype=torch.int64)
        found = rs.audit(classifier, images, labels, budget="quick", checks=[Repeatability()])
        assert found.worst == PASS, found.answers[0].finding.note


def test_a_coding_that_is_certain_of_black_and_white_is_not_frozen() -> None:
    images = torch.rand(6, 1, 8, 8, generator=seeded(3)).round()
    classifier, labels = small_classifier(rs.codings.Poisson()), torch.zeros(6, dtype=torch.int64)
    found = rs.audit(classifier, images, labels, budget="quick", checks=[Repeatability()])
    assert found.worst == PASS, found.answers[0].finding.note
