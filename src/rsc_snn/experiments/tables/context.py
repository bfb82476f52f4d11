"""What every table function works with: the budget, the seeds, and cells as that budget sizes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rsc_snn.attacks import Entry, Suite, paper, reliable
from rsc_snn.attacks.suites import RELIABLE
from rsc_snn.evaluation.summary import WORST
from rsc_snn.experiments.arm import Arm, Method, as_arm
from rsc_snn.experiments.budget import Budget
from rsc_snn.experiments.cells import (
    AbstractCell,
    Attacked,
    Audited,
    Certified,
    Network,
    Observed,
    Transferred,
)
from rsc_snn.experiments.reduced import network_for, reductions, stand_in
from rsc_snn.runs.reproduction import Line, Rows

EPS = 8 / 255
CIFAR10, CIFAR100, TINY, IMAGENET = "CIFAR-10", "CIFAR-100", "Tiny-ImageNet", "ImageNet"
BASES = {
    (CIFAR10, "VGG-5"): "cifar10-vgg5",
    (CIFAR10, "VGG-11"): "cifar10-vgg11",
    (CIFAR100, "VGG-11"): "cifar100-vgg11",
    (TINY, "VGG-16"): "tiny-imagenet-vgg16",
    (IMAGENET, "ResNet-19"): "imagenet-resnet19",
    (IMAGENET, "SEW-ResNet-18"): "imagenet-sewresnet18",
}
_SOURCES = ("ANN", "Direct")  # of the reliable protocol's transfer


@dataclass(frozen=True)
class Asked:
    """A line of a table and the cells that compute it."""

    line: Line
    cells: tuple[AbstractCell, ...]


@dataclass(frozen=True)
class Context:
    """What is asked for, beyond the table.

    Attributes:
        budget: Sizes of everything.
        seeds: A network is trained with each.
        limit: Test images per cell, at most; None is what the budget says.
        known: Networks that were made already, since digests take time.
    """

    budget: Budget
    seeds: tuple[int, ...] = (0,)
    limit: int | None = None
    known: dict[tuple[str, str, Arm, int], Network] = field(default_factory=dict, repr=False, compare=False)

    def network(self, dataset: str, network: str, method: Method, seed: int) -> Network:
        """Return the network of a row of the paper, or of another arm."""
        key = (dataset, network, as_arm(method), seed)
        if key not in self.known:
            self.known[key] = network_for(self.budget, BASES[dataset, network], as_arm(method), seed)
        return self.known[key]

    def networks(self, dataset: str, network: str, method: Method) -> list[Network]:
        """Return a network for each seed."""
        return [self.network(dataset, network, method, seed) for seed in self.seeds]

    def attacked(self, network: Network, strengths: tuple[float, ...] = (EPS,)) -> Attacked:
        """The paper's protocol, at some strengths."""
        return self.by_suites(network, tuple(map(paper, strengths)), self.budget.num_images)

    def by_suites(self, network: Network, suites: tuple[Suite, ...], limit: int | None) -> Attacked:
        """Suites of one name, scored as the budget says."""
        return Attacked(
            network=network,
            suites=suites,
            limit=self.at_most(limit),
            num_draws=self.budget.num_draws,
            batch_size=self.budget.batch_size,
            rows_per_pass=self.budget.rows_per_pass,
        )

    def over(self, network: Network, name: str, entries: tuple[Entry, ...]) -> Attacked:
        """A list of attacks of many steps or draws, on fewer images."""
        return self.by_suites(network, (Suite(name=name, entries=entries),), self.budget.num_eot)

    def reliably(
        self, dataset: str, network: str, victim: Network, strengths: tuple[float, ...] = (EPS,)
    ) -> Attacked:
        """The reliable protocol; candidates are transferred from the ANN twin and the direct network."""
        others = [self.network(dataset, network, method, victim.seed) for method in _SOURCES]
        return Attacked(
            network=victim,
            suites=tuple(reliable(eps, (), self.budget.reliable) for eps in strengths),
            limit=self.at_most(self.budget.num_reliable),
            batch_size=min(self.budget.batch_size, 64),
            rows_per_pass=self.budget.rows_per_pass,
            sources=tuple(other for other in others if other != victim),
        )

    def transferred(self, victim: Network, source: Network) -> Transferred:
        """The paper's black-box protocol."""
        return Transferred(
            network=victim,
            source=source,
            limit=self.at_most(self.budget.num_images),
            num_draws=self.budget.num_draws,
            batch_size=self.budget.batch_size,
            rows_per_pass=self.budget.rows_per_pass,
        )

    def audited(self, victim: Network, sources: tuple[Network, ...]) -> Audited:
        """The audit of a network."""
        limit = self.at_most(self.budget.num_audited) or self.budget.num_audited
        return Audited(network=victim, sources=sources, limit=limit, budget=self.budget.audit)

    def certified(self, network: Network) -> Certified:
        """Certificates of a network."""
        limit = self.at_most(self.budget.num_certified)
        return Certified(network=network, limit=limit, num_estimate=self.budget.num_samples)

    def observed(self, network: Network) -> Observed:
        """A look inside."""
        return Observed(network=network)

    def at_most(self, limit: int | None) -> int | None:
        """The smaller of the budget's limit and the one that was asked for."""
        given = [number for number in (limit, self.limit) if number is not None]
        return min(given) if given else None

    def asked(
        self,
        row: tuple[str, str, str, Method],
        numbers: Mapping[str, tuple[Rows, ...]],
        cells: tuple[AbstractCell, ...],
        conditions: Mapping[str, float] | None = None,
    ) -> Asked:
        """Return a line, with what is said of its networks.

        Args:
            row: Place, data set, network and method.
            numbers: Rows by what they measure.
            cells: What computes them.
            conditions: What else distinguishes the line.
        """
        place, dataset, network, method = row
        first = self.network(dataset, network, method, self.seeds[0])
        replaced = stand_in(first, dataset, network) if self.budget.stand_in else None
        line = Line(
            place=place,
            dataset=dataset,
            network=network,
            method=as_arm(method).label,
            conditions=conditions or {},
            numbers=numbers,
            stand_in=replaced,
            reductions=reductions(first, as_arm(method).settings),
        )
        return Asked(line, cells)

    def white_box(
        self,
        place: str,
        row: tuple[str, str, Method],
        conditions: Mapping[str, float] | None = None,
        *,
        is_reliable: bool = True,
    ) -> Asked:
        """FGSM and PGD of the paper on a row's network, and the reliable protocol beside.

        Args:
            place: The table.
            row: Data set, network and method.
            conditions: What else distinguishes the line.
            is_reliable: Whether the reliable protocol is run too.
        """
        victims = self.networks(*row)
        attacked = [self.attacked(victim) for victim in victims]
        numbers = {name: tuple(cell.rows(name, eps=EPS) for cell in attacked) for name in ("FGSM", "PGD")}
        cells: list[AbstractCell] = list(attacked)
        if is_reliable:
            worst = [self.reliably(row[0], row[1], victim) for victim in victims]
            numbers[RELIABLE] = tuple(cell.rows(WORST, eps=EPS) for cell in worst)
            cells += worst
        return self.asked((place, *row), numbers, tuple(cells), conditions)
