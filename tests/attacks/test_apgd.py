"""APGD against the authors' code, step by step; its checkpoints by hand."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import APGD, CE, DLR, L2, AbstractLoss, AbstractNorm, Linf, Victim
from rsc_snn.attacks.checkpoints import checkpoints
from rsc_snn.errors import RangeError
from rsc_snn.gradients import BPTT
from tests.helpers import Smooth, seeded

NAMES = {Linf(): "Linf", L2(): "L2"}
LOSS_NAMES: dict[AbstractLoss, str] = {CE(): "ce", DLR(): "dlr"}


@pytest.fixture
def double_by_default() -> Iterator[None]:
    """Their code keeps losses and step sizes in the default type."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def bent(factor: float = 2.0) -> Smooth:
    """A smooth network with curvature enough that steps overshoot."""
    model = Smooth()
    with torch.no_grad():
        model.first.weight.mul_(factor)
    return model


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("double_by_default")
@pytest.mark.parametrize("loss", LOSS_NAMES, ids=repr)
@pytest.mark.parametrize(("norm", "eps"), [(Linf(), 0.02), (L2(), 0.2)], ids=["linf", "l2"])
def test_iterates_equal_those_of_pyautoattack(norm: AbstractNorm, eps: float, loss: AbstractLoss) -> None:
    """But for images lost with their label third: there DLR is 1, and both follow rounding errors."""
    autopgd = pytest.importorskip("pyautoattack.autopgd_base")
    model = bent()
    images = torch.rand(40, 3, 6, 6, generator=seeded(1))
    labels = model(images).argmax(1)
    labels[::4] = (labels[::4] + 1) % 5  # some are wrong from the beginning
    attack = APGD(eps=eps, norm=norm, loss=loss, num_steps=20)
    start = attack.project(images + 0.5 * norm.random(images, eps, generator=seeded(2)), images)
    visited: list[Tensor] = []
    model.register_forward_pre_hook(
        lambda module, inputs: visited.append(inputs[0].detach().clone()) if inputs[0].requires_grad else None
    )

    theirs = autopgd.APGDAttack(model, n_iter=20, norm=NAMES[norm], eps=eps, loss=LOSS_NAMES[loss])
    theirs.init_hyperparam(images)
    with torch.random.fork_rng():
        their_best, still_right, _, their_wrong = theirs.attack_single_run(images, labels, x_init=start)
    expected, visited[:] = list(visited), []

    seeing = torch.zeros_like(labels)
    victim = Victim(rs.wrap(model), labels, loss, BPTT(), rs.Streams(0, "attack", range(40)), seeing)
    with torch.no_grad():
        found = attack._climb_from(start, images, victim)

    assert len(expected) == len(visited) == 21
    ranks = torch.stack([model(points).argsort(1, descending=True) for points in expected[:-1]])
    on_plateau = (ranks[..., 2] == labels).any(0) & (loss == DLR())
    assert int((~on_plateau).sum()) >= 20
    for mine, other in zip(visited, expected, strict=True):
        torch.testing.assert_close(mine[~on_plateau], other[~on_plateau], rtol=0, atol=1e-10)
    last_moves = norm.size(visited[-1] - visited[-2])
    assert int((last_moves < 0.25 * eps).sum()) > 10, "no step was halved, and the test shows little"
    assert len(still_right.unique()) == 2, "all alike, and the test shows little"
    kept = still_right & ~on_plateau
    torch.testing.assert_close(found.images[kept], their_best[kept], rtol=0, atol=1e-10)
    assert bool((model(found.images).argmax(1) != labels)[~still_right].all())
    assert bool((model(their_wrong).argmax(1) != labels)[~still_right].all())


def test_checkpoints_of_100_steps() -> None:
    """22, then waits of 19, 16, 13, 10, 7, 6, 6."""
    assert checkpoints(100) == {22: 22, 41: 19, 57: 16, 70: 13, 80: 10, 87: 7, 93: 6, 99: 6}


def test_checkpoints_of_few_steps() -> None:
    assert checkpoints(1) == {1: 1}
    assert checkpoints(10) == {2: 2, **dict.fromkeys(range(3, 11), 1)}


@pytest.mark.parametrize("norm", [Linf(), L2()], ids=repr)
def test_the_start_is_a_random_point_at_the_edge_of_the_ball(norm: AbstractNorm) -> None:
    attack = APGD(eps=0.05, norm=norm, num_steps=1)
    images = torch.full((4, 3, 6, 6), 0.5, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3])
    found = attack.attempt(rs.wrap(Smooth()), images, labels, gradient=BPTT(), generator=None)
    start = dict(found.others)["start"] - images
    torch.testing.assert_close(norm.size(start), torch.full((4,), 0.05, dtype=torch.float64))
    assert start.flatten().unique().numel() > 400


@pytest.mark.usefixtures("unchecked")
def test_bad_settings_are_refused() -> None:
    with pytest.raises(RangeError, match="num_steps must be at least 1, got 0"):
        APGD(num_steps=0)
    with pytest.raises(RangeError, match="num_restarts must be at least 1, got -1"):
        APGD(num_restarts=-1)
