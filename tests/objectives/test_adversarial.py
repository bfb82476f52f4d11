"""Adversarial objectives against few-line computations of their own."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import RangeError
from rsc_snn.objectives import SNNRAT, TRADES, Adversarial, CrossEntropy, SmoothAdv
from rsc_snn.objectives.adversarial import AbstractAdversarial
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.rng import Streams
from tests.helpers import Linear, Smooth, seeded, small_classifier

NOISY = rs.codings.RandomizedSmoothing(variance=0.05)


class Still(torch.nn.Module):
    """``Smooth`` as a network over time, repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Smooth()

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        return torch.stack([self.net(current) for current in current_TBCHW])


def net_of(classifier: SpikingClassifier) -> Smooth:
    assert isinstance(classifier.network, Still)
    return classifier.network.net


def norms_of(classifier: SpikingClassifier) -> list[torch.nn.BatchNorm2d]:
    return [module for module in classifier.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def num_passes(norm: torch.nn.BatchNorm2d) -> int:
    assert norm.num_batches_tracked is not None
    return int(norm.num_batches_tracked)


def smooth_classifier(coding: rs.codings.AbstractCoding) -> SpikingClassifier:
    return SpikingClassifier(Still(), coding, 1).double().eval()


def batch() -> tuple[Tensor, Tensor]:
    images = torch.rand(6, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    return images, torch.arange(6) % 5


def test_adversarial_training_reaches_the_worst_corner_of_a_linear_model() -> None:
    """Logits -+ w.x: FGSM moves every pixel by eps against w; CE is log(1 + exp(-2 (s - eps |w|_1)))."""
    weight = torch.tensor([1.0, -2.0]).reshape(1, 1, 2)
    classifier = SpikingClassifier(Linear(weight), rs.codings.Direct(), 2)
    images, labels = torch.tensor([[0.5, 0.3], [0.6, 0.4]]).reshape(2, 1, 1, 2), torch.ones(2).long()
    scores = torch.tensor([0.5 - 0.6, 0.6 - 0.8]) - 0.1 * 3.0
    expected = torch.log1p(torch.exp(-2 * scores)).mean()
    objective = Adversarial(attack=rs.attacks.FGSM(eps=0.1))
    loss = objective(classifier, images, labels)
    torch.testing.assert_close(loss.detach(), expected)


def test_the_default_is_low_intensity_fgsm() -> None:
    assert Adversarial().attack == rs.attacks.FGSM(eps=2 / 255)


@pytest.mark.parametrize(
    "attack", [rs.attacks.FGSM(eps=2 / 255), rs.attacks.PGD(eps=2 / 255, num_steps=3)], ids=repr
)
def test_the_loss_is_the_inner_objective_at_the_attacked_images(attack: rs.attacks.AbstractAttack) -> None:
    classifier, (images, labels) = smooth_classifier(rs.codings.Direct()), batch()
    worst = attack(classifier, images, labels)
    expected = functional.cross_entropy(classifier.logits(worst), labels)
    torch.testing.assert_close(Adversarial(attack=attack)(classifier, images, labels), expected)


def test_the_update_does_not_see_the_noise_of_the_attack() -> None:
    """Draws 0 of the streams made the image, draw 1 is the one that is trained on."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    streams = Streams(3, "train", range(6))
    attack = rs.attacks.FGSM(eps=0.05)
    worst = attack(classifier, images, labels, generator=streams.at(0))
    expected = functional.cross_entropy(classifier.logits(worst, streams.at(1)), labels)
    loss = Adversarial(attack=attack)(classifier, images, labels, generator=streams)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("objective", [Adversarial(), TRADES(num_steps=2), SmoothAdv(), SNNRAT()], ids=repr)
@pytest.mark.parametrize("in_eval_mode", [True, False])
def test_crafting_leaves_no_trace(objective: AbstractObjective, in_eval_mode: bool) -> None:
    """Same number of training passes with and without the attack, mixed modes restored, no stray gradient."""
    if isinstance(objective, SNNRAT):
        objective = replace(objective, objective=Adversarial(is_crafted_in_eval_mode=in_eval_mode))
    else:
        assert isinstance(objective, AbstractAdversarial)
        objective = replace(objective, is_crafted_in_eval_mode=in_eval_mode)
    classifier = small_classifier(NOISY).train()
    frozen, other = norms_of(classifier)[:2]
    before, frozen_state = num_passes(other), {k: v.clone() for k, v in frozen.eval().state_dict().items()}
    images, labels = torch.rand(8, 1, 8, 8, generator=seeded(0)), torch.arange(8)
    loss = objective(classifier, images, labels, generator=Streams(0, "train", range(8)))
    assert all(p.grad is None for p in classifier.parameters()), "crafting accumulates no gradient"
    assert classifier.training
    assert not frozen.training
    assert all(torch.equal(value, frozen_state[name]) for name, value in frozen.state_dict().items())
    assert num_passes(other) - before == (2 if isinstance(objective, TRADES) else 1)
    loss.backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in classifier.parameters())


def test_the_mode_of_crafting_matters_and_is_the_stated_one() -> None:
    """In eval mode the image is that of an attack on the classifier in eval mode."""
    seen: list[Tensor] = []

    class Watched(SpikingClassifier):
        def logits_over_time(self, images: Tensor, generator: rs.rng.Randomness = None) -> Tensor:
            seen.append(images.detach())
            return super().logits_over_time(images, generator)

    base = small_classifier().train()
    classifier = Watched(base.network, base.coding, 2, (0.3,), (0.4,)).train()
    images, labels = torch.rand(8, 1, 8, 8, generator=seeded(0)), torch.arange(8)
    expected = rs.attacks.FGSM(eps=2 / 255)(classifier, images, labels)  # always in eval mode
    seen.clear()
    for in_eval_mode in (True, False):
        Adversarial(is_crafted_in_eval_mode=in_eval_mode)(classifier, images, labels)
    assert torch.equal(seen[1], expected)
    assert not torch.equal(seen[3], expected)


def test_trades_against_a_few_lines() -> None:
    """A separate computation of clean loss, ten sign steps up the KL, and the KL at the end."""
    classifier, (images, labels) = smooth_classifier(rs.codings.Direct()), batch()
    objective = TRADES(beta=3.0, eps=0.05, step_size=0.02, num_steps=4)
    streams = Streams(1, "train", range(6))
    start = streams.at(1).normal((3, 6, 6), num_steps=1, device=images.device)[0]
    net = net_of(classifier)
    clean = net(images)
    point = (images + 0.001 * start).clamp(0, 1)
    for _ in range(4):
        point = point.detach().requires_grad_()
        kl = functional.kl_div(net(point).log_softmax(1), clean.detach().softmax(1), reduction="sum")
        (gradient,) = torch.autograd.grad(kl, point)
        point = torch.max(torch.min(point + 0.02 * gradient.sign(), images + 0.05), images - 0.05).clamp(0, 1)
    p = clean.softmax(1)
    kl = (p * (clean.log_softmax(1) - net(point.detach()).log_softmax(1))).sum(1).mean()
    expected = functional.cross_entropy(clean, labels) + 3.0 * kl
    loss = objective(classifier, images, labels, generator=streams)
    torch.testing.assert_close(loss, expected)
    gradient = torch.autograd.grad(loss, net.first.weight)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, net.first.weight)[0])


def test_smooth_adv_against_a_few_lines() -> None:
    """One l_2 step along the gradient of -log mean of the probabilities, all draws in one graph."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    attack = rs.attacks.PGD(norm=rs.attacks.L2(), eps=0.5, step_size=0.3, num_steps=1)
    streams = Streams(4, "train", range(6))
    leaf = images.clone().requires_grad_()
    draws = [classifier.logits(leaf, streams.at(draw)).softmax(1)[range(6), labels] for draw in range(3)]
    (gradient,) = torch.autograd.grad(-torch.stack(draws).mean(0).log().sum(), leaf)
    direction = gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None]
    worst = (images + 0.3 * direction).clamp(0, 1)
    expected = functional.cross_entropy(classifier.logits(worst, streams.at(3)), labels)
    loss = SmoothAdv(attack=attack, num_draws=3)(classifier, images, labels, generator=streams)
    torch.testing.assert_close(loss, expected)


def test_the_retraction_is_the_gradient_of_its_penalty() -> None:
    """W + beta (W - W W^T W) is a step of beta down ||W W^T - I||^2 / 4, by autograd."""
    classifier = small_classifier().double()
    before = {name: p.detach().clone() for name, p in classifier.named_parameters()}
    SNNRAT(beta=0.01).constrain(classifier, generator=seeded(0))
    for name, weight in classifier.named_parameters():
        if weight.ndim < 2:
            assert torch.equal(weight, before[name]), "biases and normalisation are left alone"
            continue
        leaf = before[name].clone().requires_grad_()
        matrix = leaf.flatten(1)
        penalty = (matrix @ matrix.T - torch.eye(len(matrix))).square().sum() / 4
        torch.testing.assert_close(
            weight.detach(), leaf.detach() - 0.01 * torch.autograd.grad(penalty, leaf)[0]
        )


def test_orthogonal_rows_are_a_fixed_point_and_the_retraction_leads_there() -> None:
    layer = torch.nn.Linear(40, 30).double()
    classifier = rs.wrap(torch.nn.Sequential(torch.nn.Flatten(), layer).eval())
    for _ in range(300):
        SNNRAT(beta=0.2).constrain(classifier, generator=seeded(0))
    torch.testing.assert_close(layer.weight @ layer.weight.T, torch.eye(30, dtype=torch.float64))
    before = layer.weight.detach().clone()
    SNNRAT(beta=0.2).constrain(classifier, generator=seeded(0))
    torch.testing.assert_close(layer.weight.detach(), before)


def test_large_linear_layers_have_a_share_of_their_rows_treated() -> None:
    layer = torch.nn.Linear(50, 400)
    before = layer.weight.detach().clone()
    classifier = rs.wrap(torch.nn.Sequential(torch.nn.Flatten(), layer).eval())
    SNNRAT().constrain(classifier, generator=seeded(0))
    changed = (layer.weight != before).any(1)
    assert int(changed.sum()) == 120


def test_every_adversary_combines_with_ersct_and_the_teacher_sees_the_original() -> None:
    seen: list[Tensor] = []

    class Teacher(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(images)
            return images.flatten(1)[:, :10]

    classifier, images = small_classifier(NOISY).train(), torch.rand(8, 1, 8, 8, generator=seeded(0))
    inner = rs.objectives.ERSCT(teacher=Teacher())
    outers: list[AbstractObjective] = [
        Adversarial(objective=inner),
        TRADES(objective=inner, num_steps=1),
        SmoothAdv(objective=inner),
        SNNRAT(objective=Adversarial(objective=inner)),
    ]
    for outer in outers:
        seen.clear()
        outer(classifier, images, torch.arange(8), generator=Streams(0, "train", range(8))).backward()
        assert len(seen) == 1
        assert torch.equal(seen[0], images)


@pytest.mark.parametrize("objective", [Adversarial(), TRADES(num_steps=1), SmoothAdv(), SNNRAT()], ids=repr)
@pytest.mark.parametrize(
    "coding",
    [rs.codings.Direct(), rs.codings.Poisson(), NOISY, replace(NOISY, resample_each_step=True)],
    ids=repr,
)
def test_every_adversary_combines_with_every_coding(
    objective: AbstractObjective, coding: rs.codings.AbstractCoding
) -> None:
    images, labels = torch.rand(8, 1, 8, 8, generator=seeded(0)), torch.arange(8)
    losses = []
    for seed in (0, 0, 1):
        classifier = small_classifier(coding).train()
        streams = Streams(seed, "train", range(8))
        losses.append(objective(classifier, images, labels, generator=streams).detach())
    assert bool(losses[0].isfinite())
    assert losses[0] == losses[1]
    assert (losses[0] != losses[2]) == (coding.is_random or isinstance(objective, TRADES))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"beta": -1.0}, "beta"),
        ({"beta": math.inf}, "beta"),
        ({"step_size": 0.0}, "step_size"),
        ({"num_steps": 0}, "num_steps"),
        ({"eps": 8.0}, "eps"),
    ],
)
def test_bad_settings_of_trades_are_named(settings: dict[str, float], name: str) -> None:
    with pytest.raises(RangeError, match=name):
        TRADES(**settings)  # type: ignore[arg-type]


def test_other_bad_settings_are_named() -> None:
    with pytest.raises(RangeError, match="num_draws"):
        SmoothAdv(num_draws=0)
    with pytest.raises(RangeError, match="beta"):
        SNNRAT(beta=-1.0)
    with pytest.raises(RangeError, match="row_share"):
        SNNRAT(row_share=0.0)


def test_plain_objectives_leave_the_weights_alone() -> None:
    classifier = small_classifier()
    before = [p.detach().clone() for p in classifier.parameters()]
    for objective in (CrossEntropy(), Adversarial()):
        objective.constrain(classifier, generator=seeded(0))
    assert all(torch.equal(a, b) for a, b in zip(before, classifier.parameters(), strict=True))
