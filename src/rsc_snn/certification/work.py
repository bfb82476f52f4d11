"""The batches of a certification, shared among processes, and how long they take."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rsc_snn.certification.batch import certify_batch
from rsc_snn.certification.certificate import Demand
from rsc_snn.certification.certify import BATCH_SIZE
from rsc_snn.certification.passes import Passes
from rsc_snn.certification.votes import Voter
from rsc_snn.data import AbstractImageSet
from rsc_snn.guarantees import AbstractGuarantee
from rsc_snn.networks.compiling import compile_kernels
from rsc_snn.processes import Group
from rsc_snn.runs.certificate_schema import certificate_key
from rsc_snn.runs.files import Row

_PROBED_DRAWS = 2


@dataclass(frozen=True)
class Work:
    """What is certified, in batches that any process can take."""

    voter: Voter
    test: AbstractImageSet
    demand: Demand
    guarantee: AbstractGuarantee
    done: frozenset[tuple[object, ...]]
    is_compiled: bool = False

    def keys(self, indices: list[int]) -> set[tuple[object, ...]]:
        """Return the keys of the rows of some images."""
        shared = vars(self.demand)
        return {certificate_key({**shared, "index": index}) for index in indices}

    def shared_among(self, group: Group) -> Iterator[tuple[list[Row], int]]:
        """Certify what is left; yield the rows of each batch, and its number from 1, to the first process."""
        for number in range(0, self._num_batches, group.size):
            own = self._rows_of(number + group.rank)
            for position, rows in enumerate(group.gathered(own), start=number + 1):
                yield rows, min(position, self._num_batches)

    def _rows_of(self, number: int) -> list[Row]:
        """Return the rows of batch ``number``, whose images are decoded now; none if they are there."""
        part = self._part(number)
        if self._is_done(part) or len(found := part.fetch()) == 0:
            return []
        if self.keys(found.indices.tolist()) <= self.done:  # an image cannot be decoded, the others are there
            return []
        batch = certify_batch(
            self.voter, found.pixels(), found.labels, found.indices.cpu(), self.demand, self.guarantee
        )
        num_values, voter = found.pixels()[0].numel(), self.voter
        passes = {
            "batch_size": BATCH_SIZE,
            "rows_per_pass": voter.rows_per_pass,
            "compiled": self.is_compiled,
        }
        rows = [{**each.row(self.demand, self.guarantee, num_values), **passes} for each in batch]
        return [row for row in rows if certificate_key(row) not in self.done]

    def images_left(self) -> int:
        """Images of batches whose rows are not all there."""
        parts = [self._part(number) for number in range(self._num_batches)]
        return sum(len(part) for part in parts if not self._is_done(part))

    def seconds_per_image(self, images: Tensor) -> float:
        """Time a few passes, the first of which warms up."""
        seconds = []
        num_draws = max(1, self.voter.rows_per_pass // len(images))
        for _ in range(_PROBED_DRAWS):
            started = time.monotonic()
            self.voter.count(images, torch.arange(len(images)), "probe", first=0, num_draws=num_draws)
            seconds.append(time.monotonic() - started)
        per_draw = min(seconds) / (num_draws * len(images))
        return per_draw * (self.demand.num_select + self.demand.num_estimate)

    @property
    def _num_batches(self) -> int:
        return -(-len(self.test) // BATCH_SIZE)

    def _part(self, number: int) -> AbstractImageSet:
        return self.test.at(slice(number * BATCH_SIZE, (number + 1) * BATCH_SIZE))

    def _is_done(self, part: AbstractImageSet) -> bool:
        return self.keys(part.indices.tolist()) <= self.done


def timed(work: Work, passes: Passes, group: Group, images: Tensor, num_images: int) -> tuple[Work, float]:
    """Time a few passes, compile the neurons if that is asked for or worth it, and time again."""
    classifier = work.voter.classifier
    seconds = num_images * work.seconds_per_image(images)
    is_worth_it = group.led(lambda: passes.settled(seconds, images.device))
    is_asked = passes.is_compiled is True
    if not is_worth_it or not compile_kernels(
        classifier, lambda: work.seconds_per_image(images), is_asked=is_asked
    ):
        return work, seconds
    return replace(work, is_compiled=True), num_images * work.seconds_per_image(images)
