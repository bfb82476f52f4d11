"""Text between backticks is code: a command, a file, a name."""

import re
from collections.abc import Callable

_CODE = re.compile(r"`([^`]+)`")


def convert(text: str, words: Callable[[str], str], code: Callable[[str], str]) -> str:
    """Return ``text`` with ``code`` applied to what stands between backticks and ``words`` to the rest."""
    pieces = _CODE.split(text)
    return "".join((code if position % 2 else words)(piece) for position, piece in enumerate(pieces))


def plain(text: str) -> str:
    """Return ``text`` without the backticks."""
    return convert(text, str, str)
