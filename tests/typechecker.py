"""The checker of annotations in tests: beartype, with an int accepted where a float is expected (PEP 484)."""

from collections.abc import Callable
from typing import Any, TypeVar

from beartype import BeartypeConf, beartype

Checked = TypeVar("Checked", bound=Callable[..., Any])

_check = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(function: Checked) -> Checked:
    """Check the arguments, or the result, of what jaxtyping makes of a function: once each.

    It makes two: one with the annotations of the arguments, returning Any, which it calls first, and one
    with all of them, called with the result. The sizes that the first has found bind those of the result.
    """
    if function.__annotations__.get("return", Any) is not Any:
        function.__annotations__ = {"return": function.__annotations__["return"]}
    return _check(function)
