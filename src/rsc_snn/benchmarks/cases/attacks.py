"""PGD, and PGD over noise draws, beside torchattacks on the same weights."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from rsc_snn import attacks, gradients
from rsc_snn.attacks import AbstractAttack
from rsc_snn.benchmarks.backends import EAGER, PLAIN, backends
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.checking import EXACT, require_close
from rsc_snn.benchmarks.peak import peak_of
from rsc_snn.benchmarks.peers.base import version_of
from rsc_snn.benchmarks.processes import alone
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.settling import settle
from rsc_snn.benchmarks.timing import Side, measured
from rsc_snn.benchmarks.workload import Workload, usual_network
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import Direct, RandomizedSmoothing
from rsc_snn.errors import InputError
from rsc_snn.gradients import AbstractGradient
from rsc_snn.networks.backends import set_backend
from rsc_snn.networks.folding import folded
from rsc_snn.runs.files import Row

EPS, STEP = 8 / 255, 0.01
_LEAST_MOVED = 0.1  # of the pixels
PEER = "torchattacks"
Attack = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class AttackSpeed(AbstractCase):
    """7 steps of PGD, and 2 steps of PGD over 20 draws from a random start, through RSC-I."""

    name: ClassVar[str] = "attacks"
    position: ClassVar[int] = 2

    def measure(self, settings: Settings) -> list[Row]:
        """Return the rows of both attacks."""
        return [row for kind in kinds(settings).values() for row in _rows(kind, settings)]

    def perform(self, task: Row, settings: Settings) -> Row:
        """Return the peak memory of one attack by one side."""
        kind = kinds(settings)[task["attack"]]
        attack = contenders(kind, kind.workload(), settings)[task["side"], task["backend"]]
        images, labels = kind.workload().batch(settings.place)
        attack(images, labels)  # compiles
        return {"peak_bytes": peak_of(lambda: attack(images, labels), settings.place)}


@dataclass(frozen=True)
class Kind:
    """An attack by both libraries.

    Attributes:
        name: On the page.
        batch_size: Images attacked together.
        ours: The search rule.
        path: Its gradient.
        peer: Makes the attack of torchattacks on a classifier.
        is_small: Whether the network is tiny.
    """

    name: str
    batch_size: int
    ours: AbstractAttack
    path: AbstractGradient
    peer: Callable[[SpikingClassifier], Attack]
    is_small: bool

    def workload(self) -> Workload:
        """Return network, coding and batch."""
        network = usual_network(is_quick=self.is_small)
        coding = RandomizedSmoothing(variance=0.1)
        num_steps = 2 if self.is_small else 4
        return Workload(network=network, batch_size=self.batch_size, num_steps=num_steps, coding=coding)


def kinds(settings: Settings, *, has_random_start: bool = True) -> dict[str, Kind]:
    """Return both attacks by name."""
    small = settings.is_quick
    num_draws, num_steps = (3, 2) if small else (20, 2)
    pgd = Kind(
        "PGD, 7 steps",
        4 if small else 64,
        attacks.PGD(eps=EPS, step_size=STEP, num_steps=7),
        gradients.BPTT(),
        _peer_pgd,
        small,
    )
    eot = Kind(
        f"PGD over {num_draws} draws, {num_steps} steps",
        4 if small else 16,
        attacks.PGD(eps=EPS, step_size=STEP, num_steps=num_steps, random_start=has_random_start),
        gradients.Expectation(num_draws=num_draws),
        functools.partial(_peer_eot, num_steps, num_draws, has_random_start),
        small,
    )
    return {kind.name: kind for kind in (pgd, eot)}


def _peer_pgd(classifier: SpikingClassifier) -> Attack:
    import torchattacks

    attack: Attack = torchattacks.PGD(classifier, eps=EPS, alpha=STEP, steps=7, random_start=False)
    return attack


def _peer_eot(
    num_steps: int, num_draws: int, has_random_start: bool, classifier: SpikingClassifier
) -> Attack:
    import torchattacks

    attack: Attack = torchattacks.EOTPGD(
        classifier,
        eps=EPS,
        alpha=STEP,
        steps=num_steps,
        eot_iter=num_draws,
        random_start=has_random_start,
    )
    return attack


def contenders(
    kind: Kind, workload: Workload, settings: Settings, dtype: torch.dtype = torch.float32
) -> dict[tuple[str, str], Attack]:
    """Return the attack of each side and backend, on classifiers of the same weights.

    Ours attack a frozen copy with folded normalisation, as evaluation does.
    """
    plain = _settled(workload, settings, dtype)

    def victim(backend: str, *, is_folded: bool) -> SpikingClassifier:
        network = workload.spiking(PLAIN, dtype)
        network.load_state_dict(plain.network.state_dict())
        network = network.eval().requires_grad_(not is_folded)
        network = folded(network) if is_folded else network
        set_backend(network, backend)
        return workload.classifier(network, settings.place).eval()

    def own(backend: str) -> Attack:
        classifier = victim(backend, is_folded=True)
        return lambda images, labels: kind.ours(classifier, images, labels, gradient=kind.path)

    found: dict[tuple[str, str], Attack] = {("ours", name): own(name) for name in backends(settings)}
    if version_of(PEER) is not None:
        for name in dict.fromkeys((PLAIN, EAGER)):
            found[PEER, name] = kind.peer(victim(name, is_folded=False))
    return found


def _settled(workload: Workload, settings: Settings, dtype: torch.dtype) -> SpikingClassifier:
    """Return a classifier whose normalisation has seen images, so that neurons fire in eval mode."""
    classifier = workload.classifier(workload.spiking(PLAIN, dtype), settings.place)
    images, _ = workload.batch(settings.place, dtype)
    settle(classifier, images)
    return classifier.eval()


def _rows(kind: Kind, settings: Settings) -> list[Row]:
    _check(next(k for k in kinds(settings, has_random_start=False).values() if k.name == kind.name), settings)
    workload = kind.workload()
    images, labels = workload.batch(settings.place)
    sides = [
        Side(name=name, backend=backend, work=functools.partial(attack, images, labels))
        for (name, backend), attack in contenders(kind, workload, settings).items()
        if (name, backend) != ("ours", PLAIN)
    ]
    rows = measured(AttackSpeed.name, {"attack": kind.name, **workload.described()}, sides, settings)
    for row in rows:
        task = {"attack": kind.name, "side": row["side"], "backend": row["backend"]}
        row |= alone(AttackSpeed.name, settings, task)
    return rows


def _check(kind: Kind, settings: Settings) -> None:
    """Compare the adversarial images of all sides, in float64 and without noise, where they must be equal."""
    workload = replace(kind.workload(), batch_size=2, coding=Direct(), num_steps=2)
    images, labels = workload.batch(settings.place, torch.float64)
    found = contenders(kind, workload, settings, torch.float64)
    expected = found["ours", PLAIN](images, labels)
    share = float((expected != images).double().mean())
    if share < _LEAST_MOVED:
        raise InputError(
            f"expected an attack that moves pixels, got {100 * share:.0f} % of them; nothing was timed; the "
            "network is silent for these images"
        )
    for (name, backend), attack in found.items():
        require_close(f"{name} ({backend})", attack(images, labels), expected, tolerance=EXACT)
