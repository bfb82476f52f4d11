"""Stopping between two steps: Ctrl-C and SIGTERM are noticed where the state is consistent."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import ClassVar

EXIT_STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interrupted(BaseException):
    """The user or the system asked to stop; what was finished is saved.

    Attributes:
        is_under_way: Whether this process is stopping already, so that no further signal need disturb it.
    """

    is_under_way: ClassVar[bool] = False

    def __init__(self, number: signal.Signals):
        Interrupted.is_under_way = True
        super().__init__(f"stopped by {number.name}")
        self.exit_status = EXIT_STATUS[number]


@contextlib.contextmanager
def deferred_signals() -> Iterator[Callable[[], signal.Signals | None]]:
    """Hold back the first SIGINT or SIGTERM; yield a function that returns it once it came.

    The same signal again raises ``Interrupted`` at once; not under torchrun, which passes on what the
    terminal has sent already, and kills whoever takes too long. Outside the main thread, where Python
    allows no handlers, nothing is held back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    received: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number in received and "TORCHELASTIC_RUN_ID" not in os.environ:
            raise Interrupted(signal.Signals(number))
        received.append(signal.Signals(number))

    previous = {number: signal.signal(number, note) for number in EXIT_STATUS}
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
