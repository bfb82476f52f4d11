"""The estimate counts the passes that an evaluation will take, and its memory grows with the batch."""

from collections import Counter

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import APGD, FGSM, PGD, Transfer
from rsc_snn.evaluation.estimate import estimate, passes_per_image
from rsc_snn.evaluation.plan import Attacks, Plan, make_plan
from rsc_snn.gradients import BPTT, Expectation
from tests.gradients.toys import NOISY, toy, toy_batch
from tests.helpers import seeded, small_classifier

pytestmark = pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")


def plan_for(
    attacks: Attacks,
    *,
    is_random: bool = True,
    num_draws: int = 20,
    batch_size: int = 64,
) -> Plan:
    return make_plan(
        attacks, num_draws=num_draws, seed=0, is_random=is_random, num_pixels=64, batch_size=batch_size
    )


def test_the_quick_suite_against_a_hand_count() -> None:
    """Four APGD of 21 gradients, SA-PGD of 20 and a look, 200 queries, a transfer of 21, all of 5 draws."""
    suite = rs.attacks.reliable(sources=(toy(NOISY),), budget="quick")
    there_and_back = (4 * 21 + 20 + 21) * 5
    judged = 7 * 4 * 20 + 3 * 20  # four points each; the clean image twice, and the winner
    assert passes_per_image(plan_for(suite)) == (there_and_back, (1 + 200) * 5 + judged) == (625, 1625)


def test_the_full_suite_against_a_hand_count() -> None:
    two = (toy(NOISY), toy(NOISY))
    back = (4 * 101 + 100 + 2 * 101) * 20
    looks = (1 + 1000 + 2) * 20  # of two sources' answers the victim chooses
    judged = (6 * 4 + (2 * 4 + 1)) * 20 + 3 * 20
    assert passes_per_image(plan_for(rs.attacks.reliable(sources=two))) == (back, looks + judged)
    none = rs.attacks.reliable()
    assert passes_per_image(plan_for(none)) == ((4 * 101 + 100) * 20, 1001 * 20 + 6 * 4 * 20 + 60)
    assert passes_per_image(plan_for(none, is_random=False)) == (504, 1001 + 6 * 4 + 3)


def test_a_plain_list_scores_every_answer_too() -> None:
    attacks: Attacks = [FGSM(), (PGD(), Expectation(of=BPTT(), num_draws=3))]
    assert passes_per_image(plan_for(attacks, num_draws=10)) == (1 + 7 * 3, 2 * 5 * 10 + 3 * 10)


@pytest.mark.parametrize(
    "attacks",
    [
        [APGD(eps=0.1, num_steps=3, num_restarts=2), PGD(eps=0.1, num_restarts=2, random_start=True)],
        [
            (
                Transfer(eps=0.1, sources=(toy(NOISY), toy(NOISY)), of=APGD(num_steps=2)),
                Expectation(num_draws=2),
            )
        ],
    ],
    ids=["restarts", "sources"],
)
def test_no_evaluation_takes_more_passes_than_were_estimated(attacks: Attacks) -> None:
    """Passes of the victim and its sources, counted image by image."""
    rows: Counter[bool] = Counter()

    def count(module: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        rows[torch.is_grad_enabled()] += output.shape[1]

    victim, (images, labels) = toy(NOISY), toy_batch()
    for entry in plan_for(attacks).entries:
        for source in getattr(entry[1].attack, "sources", ()):
            source.given.network.register_forward_hook(count)
    plan = plan_for(attacks, num_draws=4, batch_size=4)
    result_of = rs.evaluate(victim, images, labels, attacks=attacks, num_draws=4, batch_size=4)  # tried first
    assert result_of.rows
    rows.clear()
    victim.network.register_forward_hook(count)
    rs.evaluate(victim, images, labels, attacks=attacks, num_draws=4, batch_size=4)
    probes = 4 * len(images) * 3  # whether it varies, and whether sources fit
    there_and_back, there = passes_per_image(plan)
    looks = len(plan.entries)  # at one image each: is there a derivative?
    assert 0 <= rows[True] - there_and_back * len(images) <= looks
    assert 0.5 * there * len(images) < rows[False] <= there * len(images) + probes


def test_memory_grows_with_the_largest_pass_and_time_with_the_images() -> None:
    """A pass holds as many rows as it may, but no more than the batch has images and draws."""
    victim, images = small_classifier(), torch.rand(20, 1, 8, 8, generator=seeded(0))
    weights = 4 * sum(parameter.numel() for parameter in victim.parameters())
    plans = (
        plan_for([FGSM()], is_random=False, batch_size=size).sized(rows)
        for size, rows in ((64, 640), (640, 640), (640, 64), (6, 64))
    )
    few, many, cut, fewest = (estimate(victim, images, plan, num_images=100) for plan in plans)
    assert (few.gradient_passes, few.forward_passes) == (1, 4 + 1 + 3)
    assert weights < few.num_bytes < many.num_bytes
    assert many.num_bytes - weights == pytest.approx(10 * (few.num_bytes - weights), rel=1e-3)
    assert cut.num_bytes == few.num_bytes > fewest.num_bytes
    assert few.seconds > 0
    drawn = plan_for([(FGSM(), Expectation(num_draws=5))], batch_size=6).sized(1024)
    drawn_bytes = estimate(victim, images, drawn, num_images=100).num_bytes
    assert drawn_bytes - weights == pytest.approx(30 / 64 * (few.num_bytes - weights), rel=1e-3)
