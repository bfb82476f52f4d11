"""Expectation over draws, against all draws in one graph."""

import pytest
import torch
from torch.nn import functional

import rsc_snn as rs
from rsc_snn.attacks import CE
from rsc_snn.errors import InputError, RangeError, UnknownNameError
from rsc_snn.gradients import BPTT, Expectation
from rsc_snn.gradients.parts import limited_rows
from tests.objectives.test_adversarial import NOISY, batch, net_of, smooth_classifier


class Margin:
    is_cross_entropy = False

    def at(self, rows: torch.Tensor) -> "Margin":
        return self

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return -logits.gather(1, labels[:, None])[:, 0]


@pytest.mark.parametrize("num_draws", [1, 4])
@pytest.mark.parametrize("kind", ["mean_loss", "mean_probability"])
def test_loss_and_gradient_are_those_of_one_graph(kind: str, num_draws: int) -> None:
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    streams = rs.Streams(0, "attack", range(6))
    leaf = images.clone().requires_grad_()
    losses_SB = torch.stack(
        [
            functional.cross_entropy(classifier.logits(leaf, streams.at(d)), labels, reduction="none")
            for d in range(num_draws)
        ]
    )
    expected = {"mean_loss": losses_SB.mean(0), "mean_probability": -(-losses_SB).exp().mean(0).log()}[kind]
    (expected_gradient,) = torch.autograd.grad(expected.sum(), leaf)
    loss, gradient = Expectation(num_draws=num_draws, loss=kind).loss_and_gradient(
        classifier, images, labels, loss=CE(), generator=streams
    )
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradient, expected_gradient)


def test_one_draw_is_the_plain_path() -> None:
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    results = [
        path.loss_and_gradient(
            classifier, images, labels, loss=CE(), generator=rs.Streams(0, "attack", range(6))
        )
        for path in (BPTT(), Expectation(num_draws=1))
    ]
    torch.testing.assert_close(results[0], results[1])


def test_probabilities_far_apart_do_not_overflow() -> None:
    """Losses of 0 and about 2000: the likely draw decides, nothing becomes NaN."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    with torch.no_grad():
        net_of(classifier).second.weight.mul_(1e4)
    loss, gradient = Expectation(num_draws=5, loss="mean_probability").loss_and_gradient(
        classifier, images, labels, loss=CE(), generator=rs.Streams(0, "attack", range(6))
    )
    assert bool(loss.isfinite().all())
    assert bool(gradient.isfinite().all())


def test_other_losses_can_be_averaged_but_are_no_probabilities() -> None:
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    generator = rs.Streams(0, "attack", range(6))
    Expectation(num_draws=2).loss_and_gradient(classifier, images, labels, loss=Margin(), generator=generator)
    with pytest.raises(InputError, match="mean_probability averages the probability of the true class"):
        Expectation(loss="mean_probability").loss_and_gradient(
            classifier, images, labels, loss=Margin(), generator=generator
        )


def test_bad_settings_are_named() -> None:
    with pytest.raises(RangeError, match="num_draws must be at least 1, got 0"):
        Expectation(num_draws=0)
    with pytest.raises(UnknownNameError, match="did you mean 'mean_loss'"):
        Expectation(loss="mean_los")


@pytest.mark.parametrize("kind", ["mean_loss", "mean_probability"])
def test_passes_in_parts_change_nothing_but_rounding(kind: str) -> None:
    """All pairs in one pass, images apart, and draws apart: the same noise for every pair."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    found = []
    for num_rows in (64, 14, 6, 4, 3, 1):  # 6 images, 7 draws: 9, 2, 1, 1 images a pass; 7, 7, 6, 4 draws
        streams = rs.Streams(0, "attack", range(6))
        path = Expectation(num_draws=7, loss=kind)
        with limited_rows(num_rows):
            found.append(path.loss_and_gradient(classifier, images, labels, loss=CE(), generator=streams))
        assert streams.next_draw == 7
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])


def test_a_loss_that_knows_its_images_is_cut_with_the_batch() -> None:
    """TRADES' divergence compares each pair with the clean answer of its own image."""
    classifier, (images, labels) = smooth_classifier(NOISY), batch()
    objective = rs.objectives.TRADES(num_steps=1, gradient=Expectation(num_draws=20))
    loss, _ = objective.loss_and_logits(
        classifier, images, labels, generator=rs.Streams(0, "attack", range(6))
    )
    assert bool(loss.isfinite())
