"""A training surrogate that vanishes hides a misclassification from BPTT, not from the suite "reliable"."""

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.attacks import APGD, SAPGD
from rsc_snn.gradients import BPTT, AdaptiveSharpness
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons import LIF, Triangle
from tests.helpers import seeded

NUM_STEPS, DECAY, EPS, PER_PIXEL = 4, 0.5, 0.1, 1 / 64
GAIN = 1 + DECAY + DECAY**2 + DECAY**3  # of a constant drive, in the membrane of the last step
SIGNS = torch.randint(0, 2, (1, 8, 8), generator=seeded(5)).double() * 2 - 1


class OneNeuron(nn.Module):
    """Current [T, B, 1, 8, 8] -> one neuron -> two logits [T, B, 2]: class 1 if it fires at all.

    Its drive is 0.5 and what the pixels differ from grey along ``SIGNS``, each by 1/64. It first fires at
    the fourth step, where the drive is 1 / GAIN = 0.533 or more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.neuron = Activation(LIF(decay=DECAY, surrogate=Triangle(width=1e-6)))

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        drive_TB = 0.5 + PER_PIXEL * ((current_TBCHW - 0.5) * SIGNS).sum((2, 3, 4))
        rate = self.neuron(drive_TB[..., None])[..., 0]
        return torch.stack([0.5 / NUM_STEPS - rate, rate - 0.5 / NUM_STEPS], dim=-1)


def victim() -> rs.SpikingClassifier:
    return rs.SpikingClassifier(OneNeuron(), rs.codings.Direct(), NUM_STEPS).double().eval()


def problem() -> tuple[Tensor, Tensor]:
    """Images of class 0 whose drive lies in [0.46, 0.5], with the threshold at 0.533."""
    shades = torch.tensor([0.0, -0.01, -0.02, -0.04], dtype=torch.float64).reshape(4, 1, 1, 1)
    return 0.5 + shades * SIGNS, torch.zeros(4, dtype=torch.long)


def test_the_corner_of_the_ball_is_a_misclassification_and_random_points_are_not() -> None:
    classifier, images = victim(), problem()[0]
    assert pytest.approx(0.5333, abs=1e-4) == 1 / GAIN
    assert classifier(images).argmax(1).tolist() == [0] * 4
    assert classifier(images + EPS * SIGNS).argmax(1).tolist() == [1] * 4  # drive 0.56 to 0.6
    starts = images[:1] + EPS * torch.empty(1000, 1, 8, 8, dtype=torch.float64).uniform_(
        -1, 1, generator=seeded(0)
    )
    assert not classifier(starts).argmax(1).any(), "0.033 are five standard deviations of their drive"


def test_sa_pgd_by_adaptive_sharpness_finds_what_apgd_by_bptt_does_not_see() -> None:
    classifier, (images, labels) = victim(), problem()
    noise = rs.Streams(0, "attack", range(4))
    blind = APGD(eps=EPS).attempt(classifier, images, labels, gradient=BPTT(), generator=noise)
    assert blind.is_blind.all()
    assert classifier(blind.images).argmax(1).tolist() == [0] * 4
    seeing = SAPGD(eps=EPS).attempt(classifier, images, labels, gradient=AdaptiveSharpness(), generator=noise)
    assert not seeing.is_blind.any()
    assert classifier(seeing.images).argmax(1).tolist() == [1] * 4


@pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")
def test_the_worst_case_of_the_reliable_suite_has_found_it() -> None:
    images, labels = problem()
    result = rs.evaluate(victim(), images, labels, attacks=rs.attacks.reliable(eps=EPS))
    assert result.summary.clean.value == 1.0
    assert result.summary.robust is not None
    assert result.summary.robust.value == 0.0
    rows = {(row["entry"], row["index"]): row for row in result.rows}
    for index in range(4):
        for entry in ("APGD-CE", "APGD-DLR"):
            assert rows[entry, index]["heldout_counts"] == [1, 0]
            assert "zero-gradient" in rows[entry, index]["flags"]
        worst = rows["worst", index]
        assert (worst["winner"], worst["adversarial_counts"]) == ("SA-PGD adaptive sharpness", [0, 1])
        assert worst["flags"] == [], "the evaluation is what its name says"
        assert rows["Square", index]["flags"] == ["lost"]
