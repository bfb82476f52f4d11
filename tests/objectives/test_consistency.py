"""Consistency regularisation against hand calculations and few-line computations of its own."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError, RangeError
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.objectives import ERSCT, SNNRAT, TET, TRADES, Adversarial, Consistency, CrossEntropy, SmoothAdv
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.objectives.consistency import EXAMPLES, spread
from rsc_snn.objectives.teachers import SavedTeacher, as_teacher, replace_teachers, teachers_of
from rsc_snn.rng import Streams
from tests.helpers import seeded, small_classifier
from tests.objectives.test_adversarial import (
    NOISY,
    Still,
    batch,
    net_of,
    norms_of,
    num_passes,
    smooth_classifier,
)

DRAWN_OFTEN = rs.codings.RandomizedSmoothing(variance=0.05, resample_each_step=True)
PLAIN = Consistency(consistency_weight=0.0, entropy_weight=0.0)


def streams() -> Streams:
    return Streams(4, "train", range(6))


def penalty(draws: list[Tensor], consistency_weight: float, entropy_weight: float) -> Tensor:
    """From the definitions of KL and entropy, draw by draw; [B, K] logits each."""
    predictions = [logits.softmax(1) for logits in draws]
    mean = sum(predictions, torch.zeros(())) / len(draws)
    total = entropy_weight * -(mean * mean.log()).sum(1)
    for p in predictions:
        total = total + consistency_weight * (mean * (mean / p).log()).sum(1) / len(draws)
    return total.mean()


class Teacher(nn.Module):
    """Logits that depend on the image, and what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images)
        return 3 * images.flatten(1)[:, :5]


def test_spread_by_hand() -> None:
    """Predictions (1/4, 3/4) and (3/4, 1/4) have the mean (1/2, 1/2): KL ln(4/3) / 2, entropy ln 2."""
    one, two = torch.tensor([[0.0, math.log(3)]]), torch.tensor([[math.log(3), 0.0]])
    distance, entropy = spread(torch.stack([one, two]))
    assert float(distance) == pytest.approx(math.log(4 / 3) / 2)
    assert float(entropy) == pytest.approx(math.log(2))


def test_spread_is_averaged_over_the_batch_and_not_over_classes() -> None:
    """The second image is predicted alike, (1/4, 3/4), by both draws, and shifted logits say the same."""
    first, second = torch.tensor([0.0, math.log(3)]), torch.tensor([math.log(3), 0.0])
    distance, entropy = spread(torch.stack([torch.stack([first, first]), torch.stack([second, first + 5])]))
    assert float(distance) == pytest.approx(math.log(4 / 3) / 4)
    certain = math.log(4) - 0.75 * math.log(3)
    assert float(entropy) == pytest.approx((math.log(2) + certain) / 2)


def test_spread_of_very_certain_draws_is_finite() -> None:
    """(1, 0) and (0, 1) up to exp(-500): KL (500 - 2 ln 2) / 2 by hand, entropy ln 2."""
    logits = torch.tensor([[[500.0, 0.0]], [[0.0, 500.0]]], requires_grad=True)
    distance, entropy = spread(logits)
    assert float(distance.detach()) == pytest.approx(250 - math.log(2))
    assert float(entropy.detach()) == pytest.approx(math.log(2))
    (distance + entropy).backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


def test_the_loss_and_its_gradient_against_a_few_lines() -> None:
    """Draws 0, 1 and 2 of the streams, added to the image by hand."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    net, noise = net_of(classifier), streams()
    draws = []
    for draw in range(3):
        normal = streams().at(draw).normal((3, 6, 6), num_steps=1, device=images.device)[0]
        draws.append(net((images + math.sqrt(0.05) * normal).clamp(0, 1)))
    right = [-logits.log_softmax(1)[range(6), labels].mean() for logits in draws]
    expected = sum(right, torch.zeros(())) / 3 + penalty(draws, 7.0, 0.3)
    objective = Consistency(consistency_weight=7.0, entropy_weight=0.3, num_draws=3)
    loss, logits_BK = objective.loss_and_logits(classifier, images, labels, generator=noise)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(logits_BK, draws[0])
    gradient = torch.autograd.grad(loss, net.first.weight)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, net.first.weight)[0])
    assert noise.next_draw == 3


@pytest.mark.parametrize("inner", [CrossEntropy(), TET(mse_weight=0.2), "ersct"], ids=repr)
@pytest.mark.parametrize("coding", [NOISY, DRAWN_OFTEN, rs.codings.Poisson()], ids=repr)
def test_it_combines_with_every_loss(
    inner: AbstractObjective | str, coding: rs.codings.AbstractCoding
) -> None:
    """The loss is the mean of the inner objective's losses of the draws one by one, plus the penalty."""
    classifier, (images, labels) = SpikingClassifier(Still(), coding, 3).double().eval(), batch()
    teacher = Teacher()
    of_a_draw = ERSCT(teacher=teacher, kd_weight=0.7) if isinstance(inner, str) else inner
    losses = [of_a_draw(classifier, images, labels, generator=streams().at(draw)) for draw in range(2)]
    draws = [classifier.logits(images, streams().at(draw)) for draw in range(2)]
    teacher.seen.clear()
    loss = Consistency(objective=of_a_draw)(classifier, images, labels, generator=streams())
    torch.testing.assert_close(loss, (losses[0] + losses[1]) / 2 + penalty(draws, 10.0, 0.5))
    if isinstance(inner, str):
        (shown,) = teacher.seen
        assert torch.equal(shown, torch.cat([images, images])), "called once"


@pytest.mark.parametrize("inner", [CrossEntropy(), TET(), Adversarial(), TRADES(num_steps=1)], ids=repr)
def test_without_penalty_a_single_draw_is_the_inner_objective(inner: AbstractObjective) -> None:
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    one, other = streams(), streams()
    expected = inner.loss_and_logits(classifier, images, labels, generator=one)
    found = replace(PLAIN, objective=inner, num_draws=1).loss_and_logits(
        classifier, images, labels, generator=other
    )
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])
    assert one.next_draw == other.next_draw


def test_equal_draws_are_consistent() -> None:
    """With one fixed draw for all copies the KL is 0, whatever its weight; with two it is not."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    strict = replace(PLAIN, consistency_weight=1e6)
    fixed = [
        objective(classifier, images, labels, generator=streams().at(0)) for objective in (PLAIN, strict)
    ]
    torch.testing.assert_close(fixed[0], fixed[1], rtol=0, atol=1e-8)
    fresh = [objective(classifier, images, labels, generator=streams()) for objective in (PLAIN, strict)]
    assert fresh[1] > fresh[0] + 1


def test_an_adversary_around_it_hands_its_images_on() -> None:
    """FGSM sees draw 0; the regularised loss is taken at its images, over the draws 1 and 2."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    attack, teacher = rs.attacks.FGSM(eps=0.05), Teacher()
    worst = attack(classifier, images, labels, generator=streams().at(0))
    inner = ERSCT(teacher=teacher)
    after = streams().starting_at(1)
    expected = Consistency(objective=inner).loss_and_logits(
        classifier, worst, labels, generator=after, originals=images
    )[0]
    outer = Adversarial(attack=attack, objective=Consistency(objective=inner))
    loss = outer(classifier, images, labels, generator=streams())
    torch.testing.assert_close(loss, expected)
    assert all(torch.equal(shown, torch.cat([images, images])) for shown in teacher.seen)
    assert len(teacher.seen) == 2


def test_smooth_adv_around_it_differs_from_both() -> None:
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    noise = streams()
    both = SmoothAdv(objective=Consistency())(classifier, images, labels, generator=noise)
    assert noise.next_draw == 2 * 2 + 2, "two steps of two draws, and two draws of the update"
    for other in (SmoothAdv(), Consistency()):
        loss = other(classifier, images, labels, generator=streams())
        assert abs(float(both.detach()) - float(loss.detach())) > 1e-3


def test_no_copy_is_trained_on_noise_that_an_adversary_inside_saw() -> None:
    """Copies are attacked under draws 0 and 1 and trained on under draws 2 and 3."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    attack = rs.attacks.FGSM(eps=0.05)
    worst = [attack(classifier, images, labels, generator=streams().at(draw)) for draw in (0, 1)]
    losses = [
        CrossEntropy()(classifier, worst[copy], labels, generator=streams().at(2 + copy)) for copy in (0, 1)
    ]
    noise = streams()
    loss = replace(PLAIN, objective=Adversarial(attack=attack))(classifier, images, labels, generator=noise)
    torch.testing.assert_close(loss, (losses[0] + losses[1]) / 2)
    assert noise.next_draw == 4


@pytest.mark.parametrize(
    "objective",
    [
        *EXAMPLES,
        SNNRAT(objective=Consistency()),
        SmoothAdv(objective=Consistency()),
        TRADES(objective=Consistency(), num_steps=1),
    ],
    ids=repr,
)
@pytest.mark.parametrize("coding", [NOISY, DRAWN_OFTEN, rs.codings.Poisson()], ids=repr)
def test_it_trains_a_spiking_network(objective: AbstractObjective, coding: rs.codings.AbstractCoding) -> None:
    """One pass for all draws, a gradient everywhere, the batch's logits, and the same again from a seed."""
    images, labels = torch.rand(8, 1, 8, 8, generator=seeded(0)), torch.arange(8)
    losses = []
    for seed in (0, 0, 1):
        classifier = small_classifier(coding).train()
        before = num_passes(norms_of(classifier)[0])
        noise = Streams(seed, "train", range(8))
        loss, logits_BK = objective.loss_and_logits(classifier, images, labels, generator=noise)
        assert logits_BK.shape == (8, 10)
        assert num_passes(norms_of(classifier)[0]) - before == (2 if isinstance(objective, TRADES) else 1)
        loss.backward()
        assert all(p.grad is not None and bool((p.grad != 0).any()) for p in classifier.parameters())
        losses.append(loss.detach())
    assert losses[0] == losses[1] != losses[2]


def test_a_generator_of_torch_gives_every_copy_numbers_of_its_own() -> None:
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    copies = torch.cat([images, images])
    draws = list(classifier.logits(copies, seeded(3)).split(6))
    loss = replace(PLAIN, consistency_weight=2.0)(classifier, images, labels, generator=seeded(3))
    expected = CrossEntropy()(classifier, copies, torch.cat([labels, labels]), generator=seeded(3))
    torch.testing.assert_close(loss, expected + penalty(draws, 2.0, 0.0))
    assert float(penalty(draws, 1.0, 0.0).detach()) > 1e-4


def test_the_constraint_is_that_of_the_inner_objective() -> None:
    one, other = small_classifier(NOISY), small_classifier(NOISY)
    SNNRAT(beta=0.01).constrain(one, generator=seeded(0))
    Consistency(objective=SNNRAT(beta=0.01)).constrain(other, generator=seeded(0))
    pairs = list(zip(one.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(*pair) for pair in pairs)
    before = small_classifier(NOISY).parameters()
    assert not all(torch.equal(p, q) for p, q in zip(before, other.parameters(), strict=True))


def test_teachers_inside_are_found_and_replaced() -> None:
    outer = SmoothAdv(objective=Consistency(objective=ERSCT(teacher="somewhere")))
    assert teachers_of(outer) == [SavedTeacher(run="somewhere")]
    changed = replace_teachers(outer, lambda teacher: as_teacher("elsewhere"))
    assert changed == SmoothAdv(objective=Consistency(objective=ERSCT(teacher="elsewhere")))


@pytest.mark.parametrize("coding", [rs.codings.Direct(), rs.codings.RandomizedSmoothing(variance=0.0)])
def test_a_coding_without_noise_is_refused(coding: rs.codings.AbstractCoding) -> None:
    with pytest.raises(InputError, match=r"compares draws of a coding's noise, .* has none; use Poisson\(\)"):
        Consistency()(small_classifier(coding), torch.rand(8, 1, 8, 8), torch.arange(8))


def test_a_module_with_noise_of_its_own_is_accepted() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
    classifier = rs.wrap(module.eval()).train()
    images, labels = torch.rand(8, 1, 8, 8, generator=seeded(0)), torch.arange(8)
    weights = (0.0, 5.0)
    losses = [
        replace(PLAIN, consistency_weight=weight)(
            classifier, images, labels, generator=Streams(0, "train", range(8))
        )
        for weight in weights
    ]
    assert losses[0] < losses[1]


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"consistency_weight": -1.0}, "consistency_weight"),
        ({"consistency_weight": math.nan}, "consistency_weight"),
        ({"entropy_weight": math.inf}, "entropy_weight"),
        ({"num_draws": 0}, "num_draws"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, float], name: str) -> None:
    with pytest.raises(RangeError, match=name):
        Consistency(**settings)  # type: ignore[arg-type]


def test_a_recipe_without_noise_is_refused_before_its_folder_is_made(tmp_path: Path) -> None:
    recipe = by_name("digits-vgg5-direct")
    for objective in (Consistency(), Adversarial(objective=Consistency())):
        with pytest.raises(InputError, match="compares draws"):
            rs.train(replace(recipe, objective=objective), tmp_path / "run")
    assert not (tmp_path / "run").exists()
