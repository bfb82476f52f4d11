"""What the report needs to know of the paper's numbers. Needs no torch."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from rsc_snn.paper.number import Number


@runtime_checkable
class PaperNumbers(Protocol):
    """The numbers of the paper, as ``rsc_snn.paper.numbers`` gives them."""

    def find(self, place: str, dataset: str, network: str, method: str, column: str) -> Number | None:
        """Return a number, None where the paper has no such cell."""

    def of_place(self, place: str) -> Sequence[Number]:
        """Return the numbers of a table or figure, in its order."""

    def test_size(self, dataset: str) -> int:
        """Return the test images behind an accuracy."""
