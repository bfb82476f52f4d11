"""What goes wrong because of the caller, told in one line: expected, came, how to fix it."""

import difflib
from collections.abc import Iterable

_MOST_NAMES = 12


class InputError(ValueError):
    """Bad input; the command prints its message as one line and exits with status 2."""


class ShapeError(InputError):
    """A tensor has the wrong axes."""


class RangeError(InputError):
    """A value lies outside the range that has a meaning."""


class DTypeError(InputError, TypeError):
    """A tensor or field has the wrong type of number."""


class UnknownNameError(InputError):
    """A name that nothing carries; the message offers the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        shown = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
        hint = f"did you mean {near[0]!r}?" if near else f"known: {shown or 'none'}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")


class RunFolderError(InputError):
    """A run folder is missing, damaged, in use, or not the one that was expected."""


class DivergedError(ArithmeticError):
    """Training produced numbers that are not finite; the command exits with status 1."""


class OutOfMemoryError(MemoryError):
    """The device has too little memory; the command exits with status 1."""


class BenchmarkError(RuntimeError):
    """The process of a benchmark failed; the command exits with status 1."""


class DamagedCheckpoint(UserWarning):
    """The newest checkpoint could not be read; the run goes on from the one before it."""


class WeakEvaluation(UserWarning):
    """The evaluation ran, and its number should be doubted; the rows carry the same flag."""


class UnreadableImage(UserWarning):
    """An image could not be decoded; it is named, left out and counted."""


class NotCompiled(UserWarning):
    """A compiler is there and fails; the run goes on without, and takes longer."""
