"""A defence that answers at random: our accuracies are the true ones, a public tool's is not."""

import math
from pathlib import Path
from statistics import NormalDist

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.evaluation.intervals import wilson
from tests.helpers import seeded

NUM_CLASSES, NUM_IMAGES, MARGIN = 10, 200, 2.5


class NoisyLogits(nn.Module):
    """The right class's logit is higher by ``MARGIN``; all get standard normal noise from torch's generator.

    They depend on the pixels smoothly, and so little that an attack of eps = 1e-6 can do nothing.
    """

    def forward(self, images: Tensor) -> Tensor:
        score = images.flatten(1)[:, :NUM_CLASSES] * MARGIN  # a pixel of 1 marks the class
        return score + torch.randn_like(score)


def true_accuracy() -> float:
    """P(Z + m > max of K - 1 others) = integral of phi(z) Phi(z + m)^(K - 1), by the midpoint rule."""
    normal, step = NormalDist(), 1e-3
    points = [-8 + step * (number + 0.5) for number in range(int(16 / step))]
    return sum(normal.pdf(z) * normal.cdf(z + MARGIN) ** (NUM_CLASSES - 1) * step for z in points)


def problem() -> tuple[Tensor, Tensor]:
    labels = torch.randint(0, NUM_CLASSES, (NUM_IMAGES,), generator=seeded(0))
    images = torch.zeros(NUM_IMAGES, 1, 4, 4)
    images.flatten(1)[torch.arange(NUM_IMAGES), labels] = 1.0
    return images, labels


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_ours_is_right_where_autoattack_counts_bad_luck_as_an_attack(tmp_path: Path) -> None:
    pyautoattack = pytest.importorskip("pyautoattack")
    from pyautoattack.state import EvaluationState

    truth = true_accuracy()
    assert truth == pytest.approx(0.81, abs=0.005)
    images, labels = problem()
    model = NoisyLogits().eval()

    suite = rs.attacks.reliable(eps=1e-6, budget="quick")
    ours = rs.evaluate(
        rs.wrap(model), images, labels, attacks=suite, num_draws=20, batch_size=NUM_IMAGES
    ).summary
    assert ours.robust is not None
    assert ours.vote is not None
    assert ours.clean.low < truth < ours.clean.high
    assert ours.robust.low < truth < ours.robust.high
    assert abs(ours.robust.value - truth) < 4 * math.sqrt(truth * (1 - truth) / (NUM_IMAGES * 20))
    assert ours.vote.value == 1.0

    state_path = tmp_path / "state.json"
    with torch.random.fork_rng():
        attack = pyautoattack.AutoAttack(model, eps=1e-6, version="rand", seed=0)
        attack.run_standard_evaluation(images, labels, batch_size=NUM_IMAGES, state_path=state_path)
    flags = EvaluationState.from_disk(state_path).robust_flags
    theirs = wilson(float(flags.double().mean()), NUM_IMAGES, confidence=0.999999)
    assert theirs.high < truth, "below the truth by far more than the sampling error"
    lucky_three_times = truth**3  # the clean filter, and one look at each of two attacks
    assert theirs.low < lucky_three_times < theirs.high
    print(f"truth {truth:.3f}, ours {ours.robust}, vote {ours.vote.value}, theirs {theirs.value:.3f}")
