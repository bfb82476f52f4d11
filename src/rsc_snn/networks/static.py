"""Currents that are the same at every step: one copy in memory, which all steps are views of."""

from torch import Tensor


def is_static(current: Tensor) -> bool:
    """Whether all steps of a current [T, ...] are one and the same memory, as ``expand`` leaves them."""
    return len(current) > 1 and current.stride(0) == 0


def once(current: Tensor) -> Tensor:
    """Return one step, [1, ...], of a static current; any other as it is."""
    return current[:1] if is_static(current) else current
