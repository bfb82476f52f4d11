"""Every number of the paper, and how to find one."""

from functools import cache

from rsc_snn.errors import UnknownNameError
from rsc_snn.paper import figures, table1, table2, table3, table4, table5, table6, table7, text
from rsc_snn.paper.number import Number

_PARTS = (table1, table2, table3, table4, table5, table6, table7, figures, text)
_TEST_SIZES = {"CIFAR-10": 10_000, "CIFAR-100": 10_000, "Tiny-ImageNet": 10_000, "ImageNet": 50_000}


@cache
def all_numbers() -> tuple[Number, ...]:
    """Return every number in the order of the paper: tables, figures, text."""
    return tuple(number for part in _PARTS for number in part.NUMBERS)


def places() -> tuple[str, ...]:
    """Return "table1" ... "table7", "figure1" ... "figure3" and "text"."""
    return tuple(dict.fromkeys(number.place for number in all_numbers()))


def of_place(place: str) -> tuple[Number, ...]:
    """Return the numbers of a table, a figure or the text.

    Raises:
        UnknownNameError: there is no such place.
    """
    if place not in places():
        raise UnknownNameError("place of the paper", place, places())
    return tuple(number for number in all_numbers() if number.place == place)


def find(place: str, dataset: str, network: str, method: str, column: str) -> Number | None:
    """Return the number in a cell, also where it is lost; None if the place has no such cell."""
    return _by_key().get((place, dataset, network, method, column))


def test_size(dataset: str) -> int:
    """Return how many images stand behind a percentage: of the test set, or of the validation set.

    Raises:
        UnknownNameError: the paper does not use the data set.
    """
    if dataset not in _TEST_SIZES:
        raise UnknownNameError("data set of the paper", dataset, _TEST_SIZES)
    return _TEST_SIZES[dataset]


@cache
def _by_key() -> dict[tuple[str, str, str, str, str], Number]:
    return {number.key: number for number in all_numbers()}
