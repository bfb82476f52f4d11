"""What cells share that measure a trained network: they write into its folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rsc_snn.attacks import Suite
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.evaluation.splits import AbstractSplit, TestSplit
from rsc_snn.experiments.cells.base import AbstractCell, Place
from rsc_snn.experiments.cells.network import Network


@dataclass(frozen=True, kw_only=True)
class AbstractMeasured(AbstractCell):
    """A cell about one network.

    Args:
        network: The subject, or victim.
    """

    network: Network

    @property
    def run(self) -> str:
        """The network's."""
        return self.network.run

    @property
    def needs(self) -> tuple[Network, ...]:
        """The network; cells that take others add them."""
        return (self.network,)


@dataclass(frozen=True, kw_only=True)
class AbstractEvaluated(AbstractMeasured):
    """A cell that attacks its network; rows go to attacks.jsonl.

    Args:
        limit: Images, from the first on; None is all.
        num_draws: Scoring draws, and as many held-out draws.
        batch_size: Images attacked together.
        rows_per_pass: (image, draw) pairs of a gradient's pass; None is as many as memory holds, which
            may differ between machines.
    """

    split: ClassVar[AbstractSplit] = TestSplit()
    limit: int | None = None
    num_draws: int = 20
    batch_size: int = 64
    rows_per_pass: int | None = None

    def evaluate(self, place: Place, suites: Sequence[Suite]) -> None:
        """Attack the images that have no rows yet."""
        evaluate_run(
            place.run(self.network),
            suites,
            split=self.split,
            num_draws=self.num_draws,
            seed=self.network.seed,
            limit=self.limit,
            batch_size=self.batch_size,
            rows_per_pass=self.rows_per_pass,
            compiled=place.compiled,
            device=place.device,
            data_root=place.data_root,
            on_batch=place.tell_images,
        )
