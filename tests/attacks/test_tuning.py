"""The search for the width of TimeAverage."""

import pytest
import torch

import rsc_snn as rs
from rsc_snn.attacks import FGSM, PGD, tune_width, tuning
from rsc_snn.errors import InputError, RangeError
from rsc_snn.gradients import Expectation, TimeAverage
from rsc_snn.neurons import ReLU
from tests.gradients.toys import NOISY, toy, toy_batch

WIDTHS = (0.02, 0.3, 0.6, 1.0, 1.6, 2.4)


def test_the_widths_of_the_source() -> None:
    assert len(tuning.WIDTHS) == 48
    assert (tuning.WIDTHS[0], tuning.WIDTHS[1], tuning.WIDTHS[-1]) == (0.1, 0.15, 2.45)


def test_scores_are_accuracy_and_margin_on_draws_that_the_attack_did_not_see() -> None:
    """Counted here, one draw and one image at a time."""
    images, labels = toy_batch()
    classifier, attack = toy(NOISY), PGD(eps=0.2, step_size=0.1, num_steps=2)
    tuned = tune_width(
        classifier, images, labels, attack=attack, num_draws=3, widths=WIDTHS, stride=1, seed=5
    )
    assert [tried.width for tried in tuned.table] == list(WIDTHS)
    for tried in tuned.table:
        path = Expectation(of=TimeAverage(width=tried.width), num_draws=3)
        generator = rs.Streams(5, "attack", range(4))
        found = attack(classifier, images, labels, gradient=path, generator=generator)
        num_right, margins = 0, []
        for draw in range(3):
            logits = classifier.logits(found, rs.Streams(5, "select", range(4)).at(draw)).tolist()
            for row, label in zip(logits, labels.tolist(), strict=True):
                margins.append(row[label] - max(row[:label] + row[label + 1 :]))
                num_right += margins[-1] > 0 or (margins[-1] == 0 and row.index(max(row)) == label)
        assert tried.accuracy == pytest.approx(num_right / 12)
        assert tried.margin == pytest.approx(sum(margins) / 12)
    best = min(tuned.table, key=lambda tried: (tried.accuracy, tried.margin, tried.width))
    assert tuned.best == TimeAverage(width=best.width)
    assert len({tried.margin for tried in tuned.table}) > 1, "the width matters"


def test_it_is_repeatable_and_draws_from_its_own_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    purposes = set()

    def recording(seed: int, purpose: str, indices: range) -> rs.Streams:
        purposes.add((seed, purpose))
        return rs.Streams(seed, purpose, indices)

    monkeypatch.setattr(tuning, "Streams", recording)
    images, labels = toy_batch()
    before = torch.random.get_rng_state()
    classifier = toy(NOISY).train()
    found = [
        tune_width(classifier, images, labels, attack=FGSM(eps=0.2), num_draws=2, widths=WIDTHS, seed=1)
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert purposes == {(1, "attack"), (1, "select")}
    assert torch.equal(torch.random.get_rng_state(), before)
    assert classifier.training


def test_coarse_to_fine_tries_the_neighbours_of_the_best() -> None:
    """Of 12 widths in strides of 4: 0, 4, 8, and what lies less than 4 from the best of them."""
    images, labels = toy_batch()
    widths = [0.2 * number + 0.1 for number in range(12)]
    every, coarse = (
        tune_width(toy(), images, labels, attack=FGSM(eps=0.2), widths=widths, stride=stride)
        for stride in (1, 4)
    )
    scores = {tried.width: tried for tried in every.table}
    middle = min(scores[widths[number]] for number in (0, 4, 8)).width
    centre = widths.index(middle)
    wanted = {0, 4, 8} | set(range(max(0, centre - 3), min(12, centre + 4)))
    assert [tried.width for tried in coarse.table] == [widths[number] for number in sorted(wanted)]
    assert all(tried == scores[tried.width] for tried in coarse.table)


def test_a_network_without_noise_takes_one_draw() -> None:
    images, labels = toy_batch()
    one, many = (
        tune_width(toy(), images, labels, attack=FGSM(eps=0.2), num_draws=num, widths=WIDTHS)
        for num in (1, 9)
    )
    assert one == many


def test_bad_settings_are_named() -> None:
    images, labels = toy_batch()
    with pytest.raises(RangeError, match="stride must be at least 1, got 0"):
        tune_width(toy(), images, labels, attack=FGSM(), stride=0)
    with pytest.raises(RangeError, match="number of widths must be at least 1, got 0"):
        tune_width(toy(), images, labels, attack=FGSM(), widths=())
    with pytest.raises(InputError, match="the network has no spiking neuron"):
        tune_width(toy(neuron=ReLU()), images, labels, attack=FGSM())
