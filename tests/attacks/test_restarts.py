"""What is kept of several points and several restarts."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import APGD, CE, L2, PGD, SAPGD, AbstractAttack, TargetedDLR, UniformNoise
from rsc_snn.attacks.best import Best
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RangeError
from rsc_snn.gradients import BPTT, AbstractGradient, Expectation, Level, Loss, Memory, Obstacle, Slope
from rsc_snn.rng import Randomness
from tests.helpers import Smooth, seeded, small_classifier


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched(AbstractGradient):
    """Does what another path does and writes down every point with its level."""

    of: AbstractGradient
    seen: list[tuple[Tensor, Level]] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def slope(
        self, classifier: AbstractClassifier, images: Tensor, labels: Tensor, *, loss: Loss,
        generator: Randomness, memory: Memory,
    ) -> Slope:  # fmt: skip
        slope = self.of.slope(classifier, images, labels, loss=loss, generator=generator, memory=memory)
        self.seen.append((images.clone(), slope.level))
        self.memories.append(memory)
        self.losses.append(loss)
        return slope

    def level(
        self, classifier: AbstractClassifier, images: Tensor, labels: Tensor, *, loss: Loss,
        generator: Randomness,
    ) -> Level:  # fmt: skip
        level = self.of.level(classifier, images, labels, loss=loss, generator=generator)
        self.seen.append((images.clone(), level))
        return level

    def obstacle(self, classifier: AbstractClassifier, images: Tensor) -> Obstacle | None:
        return self.of.obstacle(classifier, images)

    num_passes = property(lambda self: self.of.num_passes)
    num_levels = property(lambda self: self.of.num_levels)
    has_statistics = property(lambda self: self.of.has_statistics)


def level(loss: list[float], wrong: list[float]) -> Level:
    return Level(torch.tensor(loss), torch.tensor(wrong))


def points(value: float) -> Tensor:
    return torch.full((3, 1, 1, 1), float(value))


@pytest.mark.parametrize(("wrong_first", "expected"), [(True, [2.0, 1.0, 2.0]), (False, [1.0, 1.0, 2.0])])
def test_a_wrong_answer_goes_first_only_where_that_means_something(
    wrong_first: bool, expected: list[float]
) -> None:
    best = Best(points(0), wrong_first=wrong_first)
    best.see(points(1), level([5.0, 5.0, 1.0], [0.0, 1.0, 1.0]))
    best.see(points(2), level([1.0, 9.0 if wrong_first else 4.0, 2.0], [1.0, 0.0, 1.0]))
    best.see(points(3), level([0.5, 1.0, 2.0], [1.0, 1.0, 1.0]))  # an equal comes too late
    assert best.points.flatten().tolist() == expected


def test_losses_that_are_no_numbers_never_win() -> None:
    best = Best(points(0), wrong_first=False)
    best.see(points(1), level([torch.nan, 1.0, -torch.inf], [1.0, 1.0, 1.0]))
    best.see(points(2), level([torch.nan, torch.nan, -9.0], [1.0, 1.0, 1.0]))
    assert best.points.flatten().tolist() == [0.0, 1.0, 2.0]


def test_some_rows_are_compared_with_their_own_best() -> None:
    best = Best(points(0), wrong_first=True)
    best.see(points(1), level([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]))
    rows = torch.tensor([2, 0])
    is_better = best.see(points(2)[:2], level([2.0, 2.0], [0.0, 0.0]), rows=rows)
    assert is_better.tolist() == [False, True]
    assert best.points.flatten().tolist() == [2.0, 1.0, 1.0]


SEARCHES = [APGD(eps=0.1, num_steps=12), SAPGD(eps=0.1, num_steps=12), UniformNoise(eps=0.1, num_steps=12)]


@pytest.mark.parametrize("attack", SEARCHES, ids=repr)
def test_the_answer_of_a_noisy_network_is_the_point_of_highest_mean_loss(attack: AbstractAttack) -> None:
    """Not the one with most wrong draws; for some images these two differ."""
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    images = torch.rand(20, 1, 8, 8, generator=seeded(0))
    labels = classifier.logits(images, seeded(0)).argmax(1)
    path = Watched(of=Expectation(num_draws=4))
    found = attack(classifier, images, labels, gradient=path)
    losses = torch.stack([level.loss for _, level in path.seen])
    wrong = torch.stack([level.wrong for _, level in path.seen])
    chosen = losses.argmax(0)
    visited = torch.stack([where for where, _ in path.seen])
    torch.testing.assert_close(found, visited[chosen, torch.arange(20)], rtol=0, atol=1e-6)
    assert bool((wrong.gather(0, chosen[None])[0] < wrong.amax(0)).any())


@pytest.mark.parametrize("attack", SEARCHES, ids=repr)
def test_the_answer_of_a_steady_network_is_the_worst_of_its_errors(attack: AbstractAttack) -> None:
    classifier = rs.wrap(Smooth())
    images = torch.rand(60, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    labels = classifier.logits(images).argmax(1)
    path = Watched(of=BPTT())
    found = attack(classifier, images, labels, gradient=path)
    losses = torch.stack([level.loss for _, level in path.seen])
    is_wrong = torch.stack([level.wrong for _, level in path.seen]) > 0
    chosen = torch.where(is_wrong.any(0) & ~is_wrong, -torch.inf, losses).argmax(0)
    visited = torch.stack([where for where, _ in path.seen])
    torch.testing.assert_close(found, visited[chosen, torch.arange(60)], rtol=0, atol=1e-12)


def test_each_image_keeps_the_restart_of_highest_loss_on_fresh_noise() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    images, labels = torch.rand(12, 1, 8, 8, generator=seeded(0)), torch.arange(12) % 10
    path = Watched(of=Expectation(num_draws=3))
    attack = PGD(eps=0.1, step_size=0.05, num_steps=2, num_restarts=3)
    attempt = attack.attempt(classifier, images, labels, gradient=path, generator=None)
    others = dict(attempt.others)
    assert list(others) == ["last", "best", "last 2", "start 2", "best 2", "last 3", "start 3", "best 3"]
    judged = path.seen[-3:]
    for (where, _), name in zip(judged, ["last", "last 2", "last 3"], strict=True):
        assert torch.equal(where, others[name])
    chosen = torch.stack([level.loss for _, level in judged]).argmax(0)
    assert len(chosen.unique()) > 1
    lasts = torch.stack([where for where, _ in judged])
    torch.testing.assert_close(attempt.images, lasts[chosen, torch.arange(12)])
    assert len({id(memory) for memory in path.memories}) == 3, "statistics begin anew with every restart"


def test_the_best_of_pgd_is_the_highest_point_visited() -> None:
    """A step far too long: the last point is not the best one."""
    images = torch.rand(10, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    labels = torch.arange(10) % 5
    path = Watched(of=BPTT())
    attack = PGD(eps=0.5, norm=L2(), step_size=2.0, num_steps=10, random_start=True)
    attempt = attack.attempt(rs.wrap(Smooth()), images, labels, gradient=path, generator=None)
    chosen = torch.stack([level.loss for _, level in path.seen]).argmax(0)
    visited = torch.stack([where for where, _ in path.seen])
    others = dict(attempt.others)
    assert list(others) == ["start", "best"]
    assert torch.equal(others["best"], visited[chosen, torch.arange(10)])
    assert torch.equal(others["start"], visited[0])


def test_one_restart_without_momentum_is_the_plain_loop_bit_by_bit() -> None:
    """The paper's protocol, with the noise of the same draws as ever."""
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    images, labels = torch.rand(5, 1, 8, 8, generator=seeded(0)), torch.arange(5)
    streams, point = rs.Streams(0, "attack", range(5)), images
    for _ in range(7):
        _, gradient = BPTT().loss_and_gradient(classifier, point, labels, loss=CE(), generator=streams)
        change = (point + 0.01 * gradient.sign() - images).clamp(-8 / 255, 8 / 255)
        point = (images + change).clamp(0, 1)
    assert torch.equal(PGD(eps=8 / 255)(classifier, images, labels), point)


def test_momentum_carries_over_a_flat_spot() -> None:
    """g_1 / |g_1| + mu g_0 / |g_0|, by hand, in the plane: unit gradients at right angles."""
    attack = PGD(eps=0.5, norm=L2(), momentum=0.5)
    first = torch.tensor([3.0, 0.0]).reshape(1, 1, 1, 2)
    second = torch.tensor([0.0, 8.0]).reshape(1, 1, 1, 2)
    direction = attack._direction(second, attack._direction(first, torch.zeros_like(first)))
    torch.testing.assert_close(direction.flatten(), torch.tensor([1.0, 2.0]))  # divided by the mean size
    zero = torch.zeros_like(first)
    torch.testing.assert_close(attack._direction(zero, direction).flatten(), torch.tensor([0.5, 1.0]))


def test_restarts_aim_at_one_wrong_class_after_the_other() -> None:
    classifier = rs.wrap(Smooth())
    images = torch.rand(6, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    labels = torch.arange(6) % 5
    path = Watched(of=BPTT())
    attack = APGD(eps=0.1, num_steps=1, num_restarts=4, loss=TargetedDLR())
    attack(classifier, images, labels, gradient=path)
    logits = classifier.logits(images).scatter(1, labels[:, None], -torch.inf)
    expected = logits.argsort(1, descending=True)
    for restart, loss in enumerate(path.losses[::2]):  # of the start and of the one step
        assert torch.equal(loss.targets, expected[:, restart])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("unchecked")
def test_bad_settings_are_refused() -> None:
    with pytest.raises(RangeError, match="num_restarts must be at least 1, got 0"):
        PGD(num_restarts=0)
    with pytest.raises(RangeError, match="momentum must be finite and >= 0, such as 1, got -1"):
        PGD(momentum=-1.0)
