"""Showing how many images are done."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rsc_snn.interruption import Interrupted

_SECONDS_BETWEEN_LINES = 20.0


@contextlib.contextmanager
def image_progress(
    console: Console, name: str, *, is_shown: bool = True
) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (images done, images in all): a bar in a terminal, else a line now and then."""
    if not is_shown:
        yield lambda done, total: None
        return
    if not console.is_terminal:
        yield _Lines(console, name)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def telling_what_is_kept(console: Console, *, is_shown: bool) -> Iterator[None]:
    """Say, where batches of work inside are interrupted, that the finished ones are there."""
    try:
        yield
    except Interrupted:
        if is_shown:
            kept = "finished batches are kept; the same command goes on from there"
            console.print(kept, soft_wrap=True)
        raise


class _Lines:
    def __init__(self, console: Console, name: str):
        self._console, self._name = console, name
        self._started = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES and done < total:
            return
        self._last = now
        left = (now - self._started) / done * (total - done)
        self._console.print(f"{self._name}  {done}/{total} images  {left:.0f} s left")
