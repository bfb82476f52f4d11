"""The Square attack: its windows by hand, its shapes and schedule against the authors' code."""

import math

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.attacks import CE, L2, Margin, Square
from rsc_snn.attacks.square_moves import Corners, Hills, hill_and_valley
from rsc_snn.errors import RangeError
from rsc_snn.gradients import BPTT, Expectation
from tests.helpers import Linear, Smooth, seeded, small_classifier

GREY = torch.full((4, 1, 3, 3), 0.5, dtype=torch.float64)
RIGHT = torch.zeros(4, dtype=torch.long)


def linear_victim(weight: Tensor) -> rs.SpikingClassifier:
    return rs.SpikingClassifier(Linear(weight), rs.codings.Direct(), 1).double().eval()


def test_the_corner_of_a_linear_victim_is_reached_without_gradients() -> None:
    """The victim is right wherever the attack can go, so that it never stops early."""
    weight = torch.tensor([-90.0, 2, -1, 3, -4, 1, 2, -2, 5]).reshape(1, 3, 3).double()
    found = Square(eps=0.1, num_steps=300)(linear_victim(weight), GREY, RIGHT)
    torch.testing.assert_close(found, GREY + 0.1 * weight.sign())


def test_hills_climb_on_the_sphere() -> None:
    """40 % of the largest gain; a random direction in 64 dimensions has 0 +- 12.5 % of it."""
    weight = -torch.ones(1, 8, 8, dtype=torch.float64) - torch.linspace(0, 1, 64).reshape(1, 8, 8)
    victim = linear_victim(weight)
    images = torch.full((2, 1, 8, 8), 0.5, dtype=torch.float64)
    change = Square(eps=0.5, norm=L2(), num_steps=300)(victim, images, RIGHT[:2]) - images
    torch.testing.assert_close(L2().size(change), torch.full((2,), 0.5, dtype=torch.float64))
    gain = (change * weight).sum((1, 2, 3)) / (0.5 * weight.norm())
    assert float(gain.min()) > 0.4


def test_it_stops_at_images_that_are_wrong_and_goes_on_with_the_others() -> None:
    """The network is asked about the images that are left only; lost ones keep the point that lost them."""
    sizes: list[int] = []
    model = Smooth()
    images = torch.rand(7, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    labels = model(images).argmax(1)
    labels[:2] = (labels[:2] + 1) % 5
    classifier = rs.wrap(model)
    classifier.varies(images)  # tries the module, which is not to be counted
    model.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    attack = Square(eps=1e-6, num_steps=30)
    attempt = attack.attempt(classifier, images, labels, gradient=BPTT(), generator=None)
    assert sizes.count(5) == 29
    start = dict(attempt.others)["start"]
    assert torch.equal(attempt.images[:2], start[:2])
    assert bool((attempt.images[2:] != start[2:]).flatten(1).any(1).all())


def test_noisy_answers_stop_nothing_and_are_averaged() -> None:
    passes: list[int] = []
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    images = torch.rand(3, 1, 8, 8, generator=seeded(0))
    labels = (classifier.logits(images, seeded(0)).argmax(1) + 1) % 10
    classifier.network.register_forward_pre_hook(lambda module, inputs: passes.append(inputs[0].shape[1]))
    Square(eps=0.1, num_steps=12)(classifier, images, labels, gradient=Expectation(num_draws=5))
    assert passes == [15] * 12


def test_a_window_is_uniform_over_all_places_of_the_image() -> None:
    moves = Corners(torch.zeros(2, 1, 4, 5), eps=0.1)
    numbers = torch.tensor([[0.0, 0.0, 0.9], [1 - 2**-24, 1 - 2**-24, 0.1]])
    changed = moves.changed(torch.zeros(2, 1, 4, 5), side=2, numbers=numbers)
    expected = torch.zeros(2, 1, 4, 5)
    expected[0, 0, :2, :2], expected[1, 0, 2:, 3:] = 0.1, -0.1
    torch.testing.assert_close(changed, expected)
    places = torch.rand(20_000, 3, generator=seeded(0))
    many = Corners(torch.zeros(20_000, 1, 4, 5), eps=0.1)
    changed = many.changed(torch.zeros(20_000, 1, 4, 5), side=1, numbers=places)
    share = changed.ne(0).double().mean((0, 1))
    assert float((share - 1 / 20).abs().max()) < 5 * math.sqrt(1 / 20 / 20_000)


def test_stripes_at_the_start() -> None:
    start = Corners(torch.zeros(3, 2, 4, 5), eps=0.1).start(seeded(0))
    assert torch.equal(start.abs(), torch.full((3, 2, 4, 5), 0.1))
    assert torch.equal(start, start[:, :, :1].expand_as(start))
    assert len(start[:, :, 0].flatten().unique()) == 2


def test_hills_have_norm_eps_and_leave_the_rest_in_proportion() -> None:
    images = torch.full((5, 3, 10, 10), 0.5, dtype=torch.float64)
    moves = Hills(images, eps=2.0)
    start = moves.start(seeded(0))
    torch.testing.assert_close(L2().size(start), torch.full((5,), 2.0, dtype=torch.float64))
    numbers = torch.rand(5, moves.num_numbers, generator=seeded(1), dtype=torch.float64)
    numbers[:, :4] = torch.tensor([0.0, 0.0, 0.999, 0.999])
    changed = moves.changed(start, side=3, numbers=numbers)
    torch.testing.assert_close(L2().size(changed), torch.full((5,), 2.0, dtype=torch.float64))
    assert not bool(changed[:, :, 7:, 7:].any())
    rest = torch.ones(10, 10, dtype=torch.bool)
    rest[:3, :3] = rest[7:, 7:] = False
    torch.testing.assert_close(changed[:, :, rest], start[:, :, rest])  # the budget moved, and no more


def test_a_change_at_zero_uses_what_eps_allows() -> None:
    moves = Hills(torch.zeros(1, 1, 6, 6), eps=0.5)
    numbers = torch.zeros(1, moves.num_numbers)
    changed = moves.changed(torch.zeros(1, 1, 6, 6), side=3, numbers=numbers)
    torch.testing.assert_close(changed[0, 0, :3, :3], -0.5 * hill_and_valley(3).float())


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_small_images_have_windows_too(norm: str, size: int) -> None:
    images = torch.full((2, 1, size, size), 0.5, dtype=torch.float64)
    weight = -torch.ones(1, size, size, dtype=torch.float64)
    victim = linear_victim(weight)
    attack = Square(eps=0.1, num_steps=30, norm=L2() if norm == "l2" else Square().norm)
    found = attack(victim, images, RIGHT[:2])
    assert bool(found.isfinite().all())
    assert float(attack.norm.size(found - images).max()) == pytest.approx(0.1)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("side", range(1, 12))
def test_hills_equal_those_of_pyautoattack(side: int) -> None:
    square = pytest.importorskip("pyautoattack.square")
    theirs = square.SquareAttack(None, norm="L2", eps=1.0, device="cpu")
    with torch.random.fork_rng():
        shape = theirs.eta(side).double()  # one of the two orientations
    ours = hill_and_valley(side)
    nearest = min((ours - shape).abs().max(), (ours.T - shape).abs().max(), key=float)
    assert float(nearest) < 1e-6


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("num_steps", [20, 200, 1000, 5000])
def test_the_schedule_equals_that_of_pyautoattack(num_steps: int) -> None:
    square = pytest.importorskip("pyautoattack.square")
    theirs = square.SquareAttack(None, eps=0.1, n_queries=num_steps)
    ours = Square(num_steps=num_steps)
    for step in range(num_steps):
        assert ours._share(step) == theirs.p_selection(step)


def test_the_loss_is_the_margin_unless_another_is_asked_for() -> None:
    assert Square().loss == Margin()
    assert Square(loss=CE()).loss == CE()


class Brittle(nn.Module):
    """Without a gradient, and wrong where more than half of the pixels of the first line are bright."""

    def forward(self, images_BCHW: Tensor) -> Tensor:
        share = (images_BCHW[:, 0, 0] > 0.5).to(images_BCHW.dtype).mean(1)
        return torch.stack([0.5 - share, share - 0.5], 1)


def test_no_gradient_is_needed() -> None:
    images = torch.full((4, 1, 8, 8), 0.45)
    found = Square(eps=0.1, num_steps=100)(rs.wrap(Brittle()), images, RIGHT)
    assert bool((Brittle()(found).argmax(1) == 1).all())


@pytest.mark.usefixtures("unchecked")
def test_bad_settings_are_refused() -> None:
    with pytest.raises(RangeError, match="num_steps must be at least 1, got 0"):
        Square(num_steps=0)
    with pytest.raises(RangeError, match=r"p_init must be in \(0, 1\], such as 0.8, got 1.5"):
        Square(p_init=1.5)
    with pytest.raises(RangeError, match="num_restarts must be at least 1, got 0"):
        Square(num_restarts=0)
