"""Votes of a certificate per second, beside plain passes of the same network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch

from rsc_snn.benchmarks.backends import COMPILED, EAGER, backends
from rsc_snn.benchmarks.case import AbstractCase
from rsc_snn.benchmarks.checking import EXACT, require_close
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.benchmarks.settling import settle
from rsc_snn.benchmarks.timing import Side, measured
from rsc_snn.benchmarks.workload import NUM_CLASSES, Workload, usual_network
from rsc_snn.certification.votes import Voter
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import RandomizedSmoothing
from rsc_snn.networks import BuiltNetwork, set_backend
from rsc_snn.networks.folding import folded
from rsc_snn.runs.files import Row

_NUM_IMAGES = 8


@dataclass(frozen=True, kw_only=True)
class Certification(AbstractCase):
    """Noise keyed by image, passes and counting, beside passes over as many images that are coded already."""

    name: ClassVar[str] = "certification"
    position: ClassVar[int] = 3

    def measure(self, settings: Settings) -> list[Row]:
        """Return a row per side, with the votes that its seconds are for."""
        workload = Workload(
            network=usual_network(is_quick=settings.is_quick),
            batch_size=_NUM_IMAGES,
            num_steps=2 if settings.is_quick else 4,
            coding=RandomizedSmoothing(variance=0.1),
        )
        rows_per_pass, num_passes = (16, 1) if settings.is_quick else (128, 4)
        _check(workload, settings)
        sides = _sides(workload, rows_per_pass, num_passes, settings)
        what = {**workload.described(), "batch_size": rows_per_pass, "passes": num_passes}
        return measured(self.name, what, sides, settings)


def _settled(workload: Workload, device: torch.device, dtype: torch.dtype) -> SpikingClassifier:
    classifier = workload.classifier(workload.spiking(EAGER, dtype), device)
    images, _ = workload.batch(device, dtype)
    settle(classifier, images)
    return classifier.eval()


def _sides(workload: Workload, rows_per_pass: int, num_passes: int, settings: Settings) -> list[Side]:
    device = settings.place
    trained = _settled(workload, device, torch.float32)
    assert isinstance(trained.network, BuiltNetwork)
    images, _ = workload.batch(device)
    repeated = images.repeat_interleave(rows_per_pass // _NUM_IMAGES, 0)
    current = workload.coding.encode(repeated, workload.num_steps)
    networks = [folded(trained.network) for _ in range(2)]
    fast, compiled = (workload.classifier(network, device).eval() for network in networks)
    draws = rows_per_pass // _NUM_IMAGES * num_passes

    def passing(through: SpikingClassifier) -> Callable[[], None]:
        @torch.no_grad()
        def work() -> None:
            for _ in range(num_passes):
                through.respond(current)

        return work

    def certifying(through: SpikingClassifier) -> Callable[[], object]:
        voter = Voter(through, NUM_CLASSES, seed=0, rows_per_pass=rows_per_pass)
        indices = torch.arange(_NUM_IMAGES)
        return lambda: voter.count(images, indices, "estimate", first=0, num_draws=draws)

    listed = [
        ("plain passes", EAGER, passing(trained)),
        ("plain passes, folded", EAGER, passing(fast)),
        ("certifying", EAGER, certifying(fast)),
    ]
    if COMPILED in backends(settings):
        set_backend(compiled, COMPILED)
        listed.append(("certifying", COMPILED, certifying(compiled)))
    facts = {"amount": rows_per_pass * num_passes, "unit": "votes"}
    return [Side(name=name, backend=backend, work=work, facts=dict(facts)) for name, backend, work in listed]


def _check(workload: Workload, settings: Settings) -> None:
    """Compare the folded network, in both backends, with the trained one, in float64."""
    trained = _settled(workload, settings.place, torch.float64)
    assert isinstance(trained.network, BuiltNetwork)
    images, _ = workload.batch(settings.place, torch.float64)
    current = workload.coding.encode(images, workload.num_steps)
    network = folded(trained.network)
    with torch.no_grad():
        expected = trained.network(current)
        for backend in backends(settings)[1:]:
            set_backend(network, backend)
            require_close(f"the folded network ({backend})", network(current), expected, tolerance=EXACT)
