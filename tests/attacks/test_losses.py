"""Losses against their formulas, and against the library of the authors of DLR."""

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn import attacks
from rsc_snn.attacks import APGD, CE, DLR, AbstractLoss, Margin, TargetedDLR
from rsc_snn.gradients import Expectation
from rsc_snn.registry import examples
from tests.helpers import seeded, small_classifier

LOSSES = examples(attacks.__name__, attacks.__path__, AbstractLoss)
LOGITS = torch.tensor([[1.0, 4.0, 2.0, -2.0, 0.0]])


def value(loss: AbstractLoss, logits: Tensor, label: int) -> float:
    return float(loss(logits, torch.full((len(logits),), label)).sum())


def no_logits() -> Tensor:
    raise AssertionError("this loss has no use for logits")


def test_margin_is_the_largest_other_logit_minus_the_label() -> None:
    assert value(Margin(), LOGITS, 1) == 2.0 - 4.0
    assert value(Margin(), LOGITS, 2) == 4.0 - 2.0


def test_dlr_is_the_margin_over_first_minus_third() -> None:
    assert value(DLR(), LOGITS, 1) == pytest.approx((2 - 4) / (4 - 1))
    assert value(DLR(), LOGITS, 3) == pytest.approx((4 + 2) / (4 - 1))


def test_dlr_ignores_scale_and_shift() -> None:
    assert value(DLR(), 100 * LOGITS + 7, 0) == pytest.approx(value(DLR(), LOGITS, 0), rel=1e-5)


@pytest.mark.parametrize(("restart", "target"), [(0, 2), (1, 0), (2, 4), (3, 3), (4, 2), (6, 4)])
def test_targeted_dlr_takes_one_wrong_class_after_the_other(restart: int, target: int) -> None:
    """Wrong classes in order: 2, 0, 4, 3; then from the first again. z_1 - (z_3 + z_4) / 2 = 4 - 0.5."""
    label = torch.tensor([1])
    loss = TargetedDLR().started(lambda: LOGITS, label, restart=restart)
    expected = -(LOGITS[0, 1] - LOGITS[0, target]) / 3.5
    torch.testing.assert_close(loss(LOGITS, label), expected[None])


def test_targeted_dlr_keeps_its_targets_and_picks_rows() -> None:
    logits = torch.randn(5, 6, generator=seeded(0))
    labels = torch.tensor([0, 1, 2, 3, 4])
    loss = TargetedDLR().started(lambda: logits, labels, restart=1)
    later, rows = torch.randn(5, 6, generator=seeded(1)), torch.tensor([3, 0, 3])
    torch.testing.assert_close(loss.at(rows)(later[rows], labels[rows]), loss(later, labels)[rows])


def test_targeted_dlr_that_was_not_started_aims_at_the_likeliest_wrong_class() -> None:
    assert value(TargetedDLR(), LOGITS, 1) == pytest.approx((2 - 4) / 3.5)
    assert value(TargetedDLR(), LOGITS, 0) == pytest.approx((4 - 1) / 3.5)


def test_few_classes() -> None:
    """Three: z_3 stands for the mean of z_3 and z_4. Two: there is no spread, the margin is left."""
    three, two = LOGITS[:, :3], LOGITS[:, :2]
    assert value(DLR(), three, 1) == pytest.approx((2 - 4) / (4 - 1))
    assert value(TargetedDLR(), three, 1) == pytest.approx((2 - 4) / (4 - 1))
    assert value(DLR(), two, 1) == value(TargetedDLR(), two, 1) == 1.0 - 4.0
    loss = TargetedDLR().started(lambda: two, torch.tensor([1]), restart=5)
    assert float(loss(two, torch.tensor([1]))) == 1.0 - 4.0


@pytest.mark.parametrize("label", [0, 3])
@pytest.mark.parametrize("num_classes", [2, 3, 4, 10])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_tied_logits_have_finite_values_and_gradients(
    loss: AbstractLoss, num_classes: int, label: int
) -> None:
    """All equal; the three largest equal and the label below them; and nearly so."""
    label = min(label, num_classes - 1)
    below = torch.ones(num_classes)
    below[label] = -1.0
    near = below + 1e-7 * torch.arange(num_classes)
    tiny = 1e-20 * torch.randn(num_classes, generator=seeded(0))
    logits = torch.stack([torch.full((num_classes,), 0.5), below, near, tiny]).requires_grad_()
    losses = loss(logits, torch.full((4,), label))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert bool(losses.isfinite().all())
    assert bool(gradient.isfinite().all())


@pytest.mark.parametrize("loss", [Margin(), DLR(), TargetedDLR()], ids=repr)
def test_gradients_are_those_of_the_values(loss: AbstractLoss) -> None:
    logits = torch.randn(4, 6, generator=seeded(0), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, torch.tensor([0, 1, 2, 3])), (logits,))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_wrong_answer_has_the_higher_loss_of_two(loss: AbstractLoss) -> None:
    right, wrong = torch.tensor([[2.0, 1.0, 0.0, -1.0]]), torch.tensor([[1.0, 2.0, 0.0, -1.0]])
    assert value(loss, wrong, 0) > value(loss, right, 0)
    assert loss.is_cross_entropy == (loss == CE())


@pytest.mark.parametrize("loss", [CE(), Margin(), DLR()], ids=repr)
def test_plain_losses_ask_for_no_logits(loss: AbstractLoss) -> None:
    assert loss.started(no_logits, torch.tensor([1]), restart=3) == loss
    assert loss.at(torch.tensor([0, 0])) == loss


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("num_classes", [3, 4, 10])
def test_dlr_equals_pyautoattack(num_classes: int) -> None:
    autopgd = pytest.importorskip("pyautoattack.autopgd_base")
    logits = torch.randn(200, num_classes, generator=seeded(0), dtype=torch.float64)
    labels = torch.randint(0, num_classes, (200,), generator=seeded(1))
    theirs = autopgd.APGDAttack(None, eps=0.1).dlr_loss(logits, labels)
    torch.testing.assert_close(DLR()(logits, labels), theirs, rtol=1e-8, atol=1e-10)
    ties = torch.zeros(3, num_classes, dtype=torch.float64)  # their 0 / 1e-12 and our 0 / 1
    assert torch.equal(DLR()(ties, labels[:3]), autopgd.APGDAttack(None, eps=0.1).dlr_loss(ties, labels[:3]))


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("restart", [0, 1, 2])
@pytest.mark.parametrize("num_classes", [4, 10])
def test_targeted_dlr_equals_pyautoattack(num_classes: int, restart: int) -> None:
    autopgd = pytest.importorskip("pyautoattack.autopgd_base")
    clean = torch.randn(200, num_classes, generator=seeded(0), dtype=torch.float64)
    labels = clean.argmax(1)  # they take the ranks for granted
    logits = torch.randn(200, num_classes, generator=seeded(1), dtype=torch.float64)
    theirs = autopgd.APGDAttack_targeted(None, eps=0.1)
    theirs.y_target = clean.argsort(1)[:, -2 - restart]
    ours = TargetedDLR().started(lambda: clean, labels, restart=restart)(logits, labels)
    torch.testing.assert_close(ours, theirs.dlr_loss_targeted(logits, labels), rtol=1e-8, atol=1e-10)


def test_a_targeted_attack_stands_up_to_draws_in_parts() -> None:
    """70 draws of an image do not fit a pass: rows of the loss are picked and repeated."""
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).double()
    images = torch.rand(3, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
    labels = torch.tensor([1, 2, 3])
    attack = APGD(eps=0.1, num_steps=1, num_restarts=2, loss=TargetedDLR())
    path = Expectation(num_draws=70)
    whole = attack(classifier, images, labels, gradient=path)
    alone = attack(classifier, images[2:], labels[2:], gradient=path, generator=rs.Streams(0, "attack", [2]))
    torch.testing.assert_close(alone, whole[2:], rtol=0, atol=1e-12)
