"""Our searches leave no more images right than those of public libraries, on the same network."""

import statistics
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import rsc_snn as rs
from rsc_snn.attacks import APGD, CE, DLR, L2, PGD, SAPGD, AbstractAttack, AbstractNorm, Linf, Square
from tests.helpers import seeded

pytestmark = [pytest.mark.slow, pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

POINT = 0.01  # of accuracy
NUM_STARTS = 6
NUM_QUERIES = 300
RADII = {Linf(): 0.16, L2(): 0.8}
NAMES = {Linf(): "Linf", L2(): "L2"}
Victim = tuple[nn.Module, Tensor, Tensor]


@pytest.fixture(scope="module")
def victim() -> Victim:
    """A small ReLU network that learned the digits in a few seconds, and 500 images."""
    train, test = rs.data.load("digits", split="train"), rs.data.load("digits", split="test")
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    start = seeded(0)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = parameter[0].numel() ** -0.5
            parameter.copy_(spread * torch.randn(parameter.shape, generator=start))
    images, labels = train.images.float() / 255, train.labels
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-3)
    noise = seeded(1)
    for _ in range(80):
        noisy = (images + 0.2 * torch.randn(images.shape, generator=noise)).clamp(0, 1)
        optimizer.zero_grad()
        functional.cross_entropy(model(noisy), labels).backward()
        optimizer.step()
    model.eval().requires_grad_(False)
    rest = torch.cat([test.images, train.images])[:500].float() / 255
    answers = torch.cat([test.labels, train.labels])[:500]
    assert accuracy(model, rest, answers) > 0.9
    return model, rest, answers


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    return float((model(images).argmax(1) == labels).double().mean())


def theirs(
    attack: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor, *, seed: int = 0
) -> Tensor:
    """Their adversarial images; they draw from the global generator, which is restored."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return attack(images.clone(), labels.clone())


def compare(victim: Victim, attack: AbstractAttack, rival: Tensor, *, at_most: float) -> None:
    """Ours leaves at most that much more accuracy than theirs."""
    model, images, labels = victim
    left = accuracy(model, attack(rs.wrap(model), images, labels), labels)
    their = accuracy(model, rival, labels)
    assert 0.05 < their < 0.9, "the comparison shows little"
    assert left <= their + at_most


@pytest.mark.parametrize("norm", RADII, ids=repr)
@pytest.mark.parametrize("loss", [CE(), DLR()], ids=repr)
def test_apgd_and_pyautoattack(victim: Victim, loss: CE | DLR, norm: AbstractNorm) -> None:
    autopgd = pytest.importorskip("pyautoattack.autopgd_base")
    model, images, labels = victim
    eps, name = RADII[norm], type(loss).__name__.lower()
    attack = autopgd.APGDAttack(model, n_iter=100, norm=NAMES[norm], eps=eps, loss=name)
    rival = theirs(attack.perturb, images, labels)
    compare(victim, APGD(eps=eps, norm=norm, loss=loss), rival, at_most=POINT)


@pytest.mark.parametrize("norm", RADII, ids=repr)
def test_sapgd_and_the_apgd_of_pyautoattack(victim: Victim, norm: AbstractNorm) -> None:
    autopgd = pytest.importorskip("pyautoattack.autopgd_base")
    model, images, labels = victim
    attack = autopgd.APGDAttack(model, n_iter=100, norm=NAMES[norm], eps=RADII[norm], loss="ce")
    rival = theirs(attack.perturb, images, labels)
    compare(victim, SAPGD(eps=RADII[norm], norm=norm), rival, at_most=2 * POINT)


def test_pgd_and_torchattacks(victim: Victim) -> None:
    torchattacks = pytest.importorskip("torchattacks")
    eps = RADII[Linf()]
    attack = torchattacks.PGD(victim[0], eps=eps, alpha=eps / 10, steps=40, random_start=True)
    compare_starts(victim, Linf(), attack)


def test_pgd_in_l2_and_foolbox(victim: Victim) -> None:
    """Foolbox begins uniformly in the ball, as we do; torchattacks begins nearer to the image."""
    foolbox = pytest.importorskip("foolbox")
    model, eps = foolbox.PyTorchModel(victim[0], bounds=(0, 1), device="cpu"), RADII[L2()]
    search = foolbox.attacks.L2ProjectedGradientDescentAttack(steps=40, rel_stepsize=0.1, random_start=True)

    def attack(images: Tensor, labels: Tensor) -> Tensor:
        _, found, _ = search(model, images, labels, epsilons=eps)
        assert isinstance(found, Tensor)
        return found

    compare_starts(victim, L2(), attack)


def compare_starts(victim: Victim, norm: AbstractNorm, rival: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Means over random starts: from one start each, 40 steps leave a point more or less by chance."""
    model, images, labels = victim
    eps = RADII[norm]
    ours = PGD(eps=eps, norm=norm, step_size=eps / 10, num_steps=40, random_start=True)
    left, their = [], []
    for start in range(NUM_STARTS):
        noise = rs.Streams(start, "attack", range(len(images)))
        left.append(accuracy(model, ours(rs.wrap(model), images, labels, generator=noise), labels))
        their.append(accuracy(model, theirs(rival, images, labels, seed=start), labels))
    assert 0.05 < statistics.mean(their) < 0.9, "the comparison shows little"
    assert statistics.mean(left) <= statistics.mean(their) + POINT


@pytest.mark.parametrize("norm", RADII, ids=repr)
def test_square_and_pyautoattack(victim: Victim, norm: AbstractNorm) -> None:
    """Ours also tries windows at the last row and column, which theirs leaves out."""
    square = pytest.importorskip("pyautoattack.square")
    model, images, labels = victim
    attack = square.SquareAttack(model, norm=NAMES[norm], n_queries=NUM_QUERIES, eps=RADII[norm])
    rival = theirs(attack.perturb, images, labels)
    compare(victim, Square(eps=RADII[norm], norm=norm, num_steps=NUM_QUERIES), rival, at_most=2 * POINT)
