"""Our classifiers under the attacks of other libraries."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from tests.helpers import seeded, small_classifier

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

EPS, STEP, NUM_STEPS = 16 / 255, 4 / 255, 5
Attack = Callable[[SpikingClassifier, Tensor, Tensor], Tensor]


def torchattacks_pgd(classifier: SpikingClassifier, images: Tensor, labels: Tensor) -> Tensor:
    torchattacks = pytest.importorskip("torchattacks")
    attack = torchattacks.PGD(classifier, eps=EPS, alpha=STEP, steps=NUM_STEPS, random_start=False)
    found: Tensor = attack(images, labels)
    return found


def foolbox_pgd(classifier: SpikingClassifier, images: Tensor, labels: Tensor) -> Tensor:
    foolbox: Any = imported("foolbox")
    model = foolbox.PyTorchModel(classifier, bounds=(0, 1), device=images.device)
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP, steps=NUM_STEPS, random_start=False)
    _, clipped, _ = attack(model, images, labels, epsilons=EPS)
    found: Tensor = clipped
    return found


def art_pgd(classifier: SpikingClassifier, images: Tensor, labels: Tensor) -> Tensor:
    evasion, estimators = imported("art.attacks.evasion"), imported("art.estimators.classification")
    model = estimators.PyTorchClassifier(
        classifier,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(images.shape[1:]),
        nb_classes=10,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    attack = evasion.ProjectedGradientDescentPyTorch(
        model, norm=np.inf, eps=EPS, eps_step=STEP, max_iter=NUM_STEPS, num_random_init=0, verbose=False
    )
    return torch.from_numpy(attack.generate(images.numpy(), labels.numpy()))


def pyautoattack_apgd(classifier: SpikingClassifier, images: Tensor, labels: Tensor) -> Tensor:
    pyautoattack: Any = imported("pyautoattack")
    attack = pyautoattack.AutoAttack(classifier, eps=EPS, version="custom", attacks=["apgd-ce"], seed=0)
    attack.apgd.n_iter, attack.apgd.n_restarts, attack.apgd.loss = 5, 1, "ce"
    with torch.random.fork_rng():
        found = attack.apgd.perturb(images, labels, best_loss=True)  # whatever a single draw answers
    candidates: Tensor = found
    return candidates


def imported(name: str) -> Any:
    """The package, whatever it warns of while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


PGDS = [torchattacks_pgd, foolbox_pgd, art_pgd]


def batch() -> tuple[Tensor, Tensor]:
    return torch.rand(6, 1, 8, 8, generator=seeded(3)), torch.arange(6)


@pytest.mark.parametrize("attack", PGDS)
def test_their_pgd_on_our_network_is_our_pgd(attack: Attack) -> None:
    classifier, (images, labels) = small_classifier(), batch()
    found = attack(classifier, images, labels)
    expected = rs.attacks.PGD(eps=EPS, step_size=STEP, num_steps=NUM_STEPS)(classifier, images, labels)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert not torch.equal(found, images)


@pytest.mark.parametrize("attack", [*PGDS, pyautoattack_apgd])
@pytest.mark.parametrize("coding", [rs.codings.Direct(), rs.codings.RandomizedSmoothing()], ids=repr)
def test_they_return_images_in_the_ball(attack: Attack, coding: rs.codings.AbstractCoding) -> None:
    classifier, (images, labels) = small_classifier(coding), batch()
    found = attack(classifier, images, labels)
    assert found.shape == images.shape
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert 0 < float((found - images).abs().max()) <= EPS + 1e-6


@pytest.mark.parametrize("attack", [torchattacks_pgd, foolbox_pgd])
def test_a_wrapped_network_of_another_library_stays_at_rest(attack: Attack) -> None:
    """Each library calls the module over and over, and no call sees the state of another."""
    neuron = imported("spikingjelly.activation_based.neuron")
    layers = nn.Sequential(nn.Flatten(2), nn.Linear(64, 10), neuron.IFNode(step_mode="m"), nn.Linear(10, 10))
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(0)))
    classifier: Any = rs.wrap(layers.eval(), coding=rs.codings.Direct(), num_steps=4)
    images, labels = batch()
    found = attack(classifier, images, labels)
    expected = rs.attacks.PGD(eps=EPS, step_size=STEP, num_steps=NUM_STEPS)(classifier, images, labels)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
