"""How the cost of an update, and of an attack's step, grows with what is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from rsc_snn import attacks, gradients
from rsc_snn.benchmarks.backends import EAGER, PLAIN
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.settling import settle
from rsc_snn.benchmarks.timing import Side, measured
from rsc_snn.benchmarks.update import Learner
from rsc_snn.benchmarks.workload import Workload, usual_workload
from rsc_snn.networks import VGG5, VGG11, AbstractNetwork, ResNet19, SEWResNet18
from rsc_snn.networks.folding import folded
from rsc_snn.runs.files import Row

_EPS = 8 / 255


@dataclass(frozen=True, kw_only=True)
class Growth(AbstractCase):
    """One thing at a time changes: T, batch, image size, network, or noise draws of an attack's step."""

    name: ClassVar[str] = "growth"
    position: ClassVar[int] = 5

    def measure(self, settings: Settings) -> list[Row]:
        """Return the rows of every point: ours as networks start, and the non-spiking twin."""
        updates = [
            row
            for axis, value, workload in points(settings)
            for row in _measure(axis, value, workload, _updates(workload, settings), settings)
        ]
        return [*updates, *_draws(settings)]


def points(settings: Settings) -> Iterator[tuple[str, int | str, Workload]]:
    """Yield what changes, its value, and the workload."""
    base = usual_workload(is_quick=settings.is_quick)
    for num_steps in (1, 2) if settings.is_quick else (1, 2, 4, 8, 16):
        yield "T", num_steps, replace(base, num_steps=num_steps)
    for batch_size in (2, 4) if settings.is_quick else (8, 16, 32, 64):
        yield "batch", batch_size, replace(base, batch_size=batch_size)
    for image_size in (32,) if settings.is_quick else (32, 64):
        yield "image size", image_size, replace(base, image_size=image_size, batch_size=base.batch_size // 2)
    for name, network in _networks(settings).items():
        yield "network", name, replace(base, network=network, batch_size=base.batch_size // 4)


def _networks(settings: Settings) -> dict[str, AbstractNetwork]:
    if settings.is_quick:
        return {"SEW-ResNet-18": SEWResNet18(width_divisor=8)}
    return {
        "VGG-5": VGG5(),
        "VGG-11": VGG11(),
        "ResNet-19": ResNet19(),
        "SEW-ResNet-18": SEWResNet18(),
    }


def _measure(
    axis: str, value: int | str, workload: Workload, sides: list[Side], settings: Settings
) -> list[Row]:
    what = {"axis": axis, "value": value, **workload.described()}
    return measured(Growth.name, what, sides, settings)


def _updates(workload: Workload, settings: Settings) -> list[Side]:
    own = Learner(workload.spiking(EAGER), workload, settings.place)
    twin = Learner(workload.twin(PLAIN), workload, settings.place)
    return [
        Side(name="ours", backend=EAGER, work=own.update, is_checked=None),
        Side(name="ANN", work=twin.update, is_checked=None),
    ]


def _draws(settings: Settings) -> list[Row]:
    """Return the rows of a step of PGD over 1, 5 and 20 noise draws."""
    workload = usual_workload(is_quick=settings.is_quick)
    workload = replace(workload, batch_size=workload.batch_size // 2)
    rows: list[Row] = []
    for num_draws in (1, 2) if settings.is_quick else (1, 5, 20):
        work = _attack_step(workload, num_draws, settings)
        side = Side(name="ours", backend=EAGER, work=work, is_checked=None)
        rows += _measure("draws of an attack's step", num_draws, workload, [side], settings)
    return rows


def _attack_step(workload: Workload, num_draws: int, settings: Settings) -> Callable[[], object]:
    network = workload.spiking(EAGER)
    images, labels = workload.batch(settings.place)
    settle(workload.classifier(network, settings.place), images)
    classifier = workload.classifier(folded(network.eval().requires_grad_(False)), settings.place).eval()
    attack = attacks.PGD(eps=_EPS, num_steps=1, step_size=_EPS)
    path = gradients.Expectation(num_draws=num_draws)
    return lambda: attack(classifier, images, labels, gradient=path)
