"""How long the device waits for images."""

import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import torch

Mark = TypeVar("Mark")
Item = TypeVar("Item")


class Waiting(Generic[Mark]):
    """Measures the time that passes inside a stream.

    Args:
        mark: Take a mark of now.
        between: Return the seconds from one mark to a later one; it may wait until they are known.
    """

    def __init__(self, mark: Callable[[], Mark], between: Callable[[Mark, Mark], float]):
        self._mark, self._between = mark, between
        self._spans: list[tuple[Mark, Mark]] = []

    def timed(self, stream: Iterator[Item]) -> Iterator[Item]:
        """Yield what ``stream`` yields, and measure the time that it takes."""
        while True:
            start = self._mark()
            try:
                item = next(stream)
            except StopIteration:
                return
            self._spans.append((start, self._mark()))
            yield item

    def taken(self) -> float:
        """Return the seconds since this was asked last."""
        seconds = sum(self._between(*span) for span in self._spans)
        self._spans.clear()
        return seconds


def waiting_of(device: torch.device) -> "Waiting[float] | Waiting[torch.cuda.Event]":
    """Return what measures how long ``device`` waits.

    A CUDA device works on while the process waits for images: only the time counts in which it had nothing
    else to do. What it spends on the images themselves, such as cropping those in memory, is part of it.
    """
    if device.type != "cuda":
        return Waiting(time.perf_counter, lambda start, end: end - start)

    def mark() -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(device))
        return event

    def between(start: torch.cuda.Event, end: torch.cuda.Event) -> float:
        end.synchronize()
        return float(start.elapsed_time(end)) / 1000  # it counts in milliseconds

    return Waiting(mark, between)
