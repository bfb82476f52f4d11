"""What a reset is."""

from collections.abc import Callable

Reset = Callable[[], object]
