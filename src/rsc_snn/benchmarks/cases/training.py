"""One update of the weights, in time and memory, beside the peers and the non-spiking twin."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import nn

from rsc_snn.benchmarks.backends import EAGER, PLAIN, backends
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.cases.ceilings import flops_per_second
from rsc_snn.benchmarks.checking import require_close, require_same_outputs
from rsc_snn.benchmarks.mirror import mirrored
from rsc_snn.benchmarks.peak import peak_of
from rsc_snn.benchmarks.peers import AbstractPeer, installed_peers
from rsc_snn.benchmarks.processes import alone
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.timing import Side, measured, seconds_of
from rsc_snn.benchmarks.update import Learner, count_flops
from rsc_snn.benchmarks.workload import Workload, usual_network
from rsc_snn.codings import Direct, RandomizedSmoothing
from rsc_snn.data import by_name
from rsc_snn.networks import VGG5, VGG11, ResNet19, SEWResNet18
from rsc_snn.objectives import CrossEntropy
from rsc_snn.processes import Group
from rsc_snn.runs.files import Row
from rsc_snn.spec import from_data, to_data
from rsc_snn.training import Training
from rsc_snn.training.estimate import estimate
from rsc_snn.training.step import Stepper

_CODINGS = (Direct(), RandomizedSmoothing(variance=0.1))
_MEMORY_STEPS = 8  # T at which memory is measured
_CHECKED_IMAGES = 2
_ROUGH = 1e-2  # of a network without thresholds in float32
_LAYOUTS = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}
_TWIN, _COMPILED_TWIN = "ANN", "ANN, compiled"


@dataclass(frozen=True, kw_only=True)
class TrainingStep(AbstractCase):
    """Forward, cross-entropy of the mean logits, backward, SGD with momentum; the coding is part of it."""

    name: ClassVar[str] = "training"
    position: ClassVar[int] = 1

    def measure(self, settings: Settings) -> list[Row]:
        """Return the rows of all workloads."""
        ceiling = flops_per_second(settings)
        return [row for workload in workloads(settings) for row in _rows(workload, ceiling, settings)]

    def perform(self, task: Row, settings: Settings) -> Row:
        """Return the peak memory of an update of one side, bytes beyond weights and momentum."""
        workload = from_data(task["workload"], Workload, where="workload")
        chosen = next(
            side
            for side in contenders(workload, settings)
            if (side.name, side.backend) == (task["side"], task["backend"])
        )
        learner = Learner(chosen.make(), workload, settings.place)
        learner.update()  # compiles, and makes the momentum
        learner.free_gradients()
        facts: Row = {"peak_bytes": peak_of(learner.update, settings.place)}
        if (chosen.name, chosen.backend) == ("ours", EAGER):
            facts |= {"state_bytes": learner.state_bytes, "estimated_bytes": _estimated(workload, settings)}
        return facts


@dataclass(frozen=True)
class Contender:
    """A side before it is timed: how its network is made."""

    name: str
    backend: str | None
    make: Callable[[], nn.Module]
    peer: AbstractPeer | None = None


def workloads(settings: Settings) -> Iterator[Workload]:
    """Yield what is trained: more networks on a GPU."""
    vgg5, resnet19 = usual_network(is_quick=False), ResNet19()
    listed = [(vgg5, 32, 4), (vgg5, 32, 8), (resnet19, 8, 4)]
    if settings.place.type == "cuda":
        listed += [(VGG11(), 32, 4), (SEWResNet18(), 32, 4)]
    if settings.is_quick:
        listed = [(usual_network(is_quick=True), 4, 2)]
    for network, batch_size, num_steps in listed:
        for coding in _CODINGS:
            yield Workload(network=network, batch_size=batch_size, num_steps=num_steps, coding=coding)


def contenders(workload: Workload, settings: Settings) -> list[Contender]:
    """Return all sides; the weights are the same, and nothing is made yet."""
    own = [Contender("ours", name, functools.partial(workload.spiking, name)) for name in backends(settings)]
    others = [
        Contender(peer.name, layout, functools.partial(_peer_network, workload, peer, layout), peer)
        for peer in installed_peers()
        if peer.has_networks
        for layout in _LAYOUTS
    ]
    twin = Contender(_TWIN, None, functools.partial(workload.twin, PLAIN))
    compiled = Contender(_COMPILED_TWIN, None, functools.partial(_compiled_twin, workload))
    return [*own, *others, twin, compiled]


def _peer_network(workload: Workload, peer: AbstractPeer, layout: str, dtype: Any = torch.float32) -> Any:
    network = mirrored(workload.spiking(PLAIN, dtype), peer)
    return network.to(dtype, memory_format=_LAYOUTS[layout])  # type: ignore[call-overload]


def _compiled_twin(workload: Workload) -> nn.Module:
    twin = workload.twin(PLAIN)
    twin.network.compile(dynamic=False)
    return twin


def _rows(workload: Workload, ceiling: float, settings: Settings) -> list[Row]:
    _check(workload, settings)
    _check_compiled_twin(workload, settings)
    flops = count_flops(workload, settings.place)
    learners = {
        (side.name, side.backend): Learner(side.make(), workload, settings.place)
        for side in contenders(workload, settings)
    }
    _drop_slower_layouts(learners, settings)
    sides = [
        Side(
            name=name,
            backend=backend,
            work=learner.update,
            is_checked=None if name == _TWIN else True,
            facts={"flops": flops},
        )
        for (name, backend), learner in learners.items()
    ]
    rows = measured(TrainingStep.name, workload.described(), sides, settings)
    for row in rows:
        row["share_of_ceiling"] = round(flops / row["median_seconds"] / ceiling, 4)
        if _has_memory_measured(workload, settings):
            key = {"side": row["side"], "backend": row["backend"], "workload": to_data(workload)}
            row |= alone(TrainingStep.name, settings, key)
    return rows


def _has_memory_measured(workload: Workload, settings: Settings) -> bool:
    return settings.is_quick or (isinstance(workload.network, VGG5) and workload.num_steps == _MEMORY_STEPS)


def _drop_slower_layouts(learners: dict[tuple[str, str | None], Learner], settings: Settings) -> None:
    """Keep the memory layout in which a peer is faster, after a first update of each."""
    for peer in {name for name, backend in learners if backend in _LAYOUTS}:
        taken = {}
        for key in [key for key in learners if key[0] == peer]:
            learners[key].update()
            taken[key] = min(seconds_of(learners[key].update, settings.place) for _ in range(2))
        for key in sorted(taken, key=taken.__getitem__)[1:]:
            del learners[key]


def _check(workload: Workload, settings: Settings) -> None:
    """Compare the logits of all backends and peers with the plain network's, in float64."""
    small, place = replace(workload, batch_size=_CHECKED_IMAGES), settings.place
    images, _ = small.batch(place, torch.float64)
    current = small.coding.encode(images, small.num_steps)
    compared = backends(settings)[1:]
    others = {f"backend {name}": functools.partial(small.spiking, name, torch.float64) for name in compared}
    for peer in installed_peers():
        if peer.has_networks:
            others[peer.name] = functools.partial(
                _peer_network, small, peer, next(iter(_LAYOUTS)), torch.float64
            )
    for name, make in others.items():
        plain = small.spiking(PLAIN, torch.float64).to(place)
        require_same_outputs(name, plain, make().to(place), current)


def _check_compiled_twin(workload: Workload, settings: Settings) -> None:
    """Compare the compiled twin with the eager one at the size that is timed."""
    images, _ = workload.batch(settings.place)
    current = workload.coding.encode(images, workload.num_steps)
    made = (workload.twin(PLAIN), _compiled_twin(workload))
    expected, found = (twin.to(settings.place).train()(current).detach() for twin in made)
    require_close("the compiled twin", found, expected, tolerance=_ROUGH)


def _estimated(workload: Workload, settings: Settings) -> int:
    """Return the memory that training says it will need for this update."""
    classifier = workload.classifier(workload.spiking(EAGER), settings.place)
    training = Training(batch_size=workload.batch_size)
    stepper = Stepper(classifier, CrossEntropy(), training, seed=0, group=Group())
    return estimate(stepper, by_name("cifar10"), num_steps=1).num_bytes
