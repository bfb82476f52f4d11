"""Showing progress: a bar in a terminal, plain lines elsewhere, or nothing."""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from rsc_snn.outofmemory import is_lack_of_memory
from rsc_snn.training import checkpoint
from rsc_snn.training.estimate import Estimate
from rsc_snn.training.recipe import Recipe


class Display(ABC):
    """What the training loop reports to."""

    @abstractmethod
    def expect(self, estimate: Callable[[], Estimate]) -> None:
        """Show what the run will need; ``estimate`` tries a pass, and need not be called."""
        raise NotImplementedError

    @contextlib.contextmanager
    @abstractmethod
    def shown(self, recipe: Recipe, steps_per_epoch: int) -> Iterator[None]:
        """Show the run while the context lasts."""
        raise NotImplementedError

    @abstractmethod
    def is_due(self) -> bool:
        """Whether enough time has passed since the last step that was shown."""
        raise NotImplementedError

    @abstractmethod
    def step(self, progress: checkpoint.Progress) -> None:
        """Show the state after a step."""
        raise NotImplementedError

    @abstractmethod
    def epoch(self, row: dict[str, Any]) -> None:
        """Show the row of a finished epoch."""
        raise NotImplementedError

    @abstractmethod
    def starving(self, share: float, *, num_workers: int) -> None:
        """Show that the device waited for images for this share of the epoch."""
        raise NotImplementedError


class SilentDisplay(Display):
    """Shows nothing."""

    def expect(self, estimate: Callable[[], Estimate]) -> None:
        """Do nothing."""

    @contextlib.contextmanager
    def shown(self, recipe: Recipe, steps_per_epoch: int) -> Iterator[None]:
        """Do nothing."""
        yield

    def is_due(self) -> bool:
        """Never."""
        return False

    def step(self, progress: checkpoint.Progress) -> None:
        """Do nothing."""

    def epoch(self, row: dict[str, Any]) -> None:
        """Do nothing."""

    def starving(self, share: float, *, num_workers: int) -> None:
        """Do nothing."""


class ConsoleDisplay(Display):
    """Loss, accuracy, images/s and time left: a moving bar, or a line every so often.

    Args:
        console: Where to write; a terminal gets the bar.
        seconds_between_lines: For anything that is not a terminal.
    """

    def __init__(self, console: Console, *, seconds_between_lines: float = 20.0):
        self._console = console
        self._interval = 0.2 if console.is_terminal else seconds_between_lines
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def expect(self, estimate: Callable[[], Estimate]) -> None:
        """Write a line with time and memory."""
        try:
            expected = estimate()
        except (RuntimeError, MemoryError) as err:
            if not is_lack_of_memory(err):
                raise
            return  # the run finds out for itself, with advice
        self._console.print(
            f"expected: about {duration(expected.seconds)} and {size(expected.num_bytes)} of memory",
            highlight=False,
        )

    @contextlib.contextmanager
    def shown(self, recipe: Recipe, steps_per_epoch: int) -> Iterator[None]:
        """Show the run while the context lasts."""
        self._recipe, self._steps = recipe, steps_per_epoch
        self._last = time.monotonic()
        total = recipe.training.epochs * steps_per_epoch
        if not self._console.is_terminal:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
        with Progress(*columns, console=self._console, transient=True) as self._bar:
            self._task = self._bar.add_task(recipe.name, total=total, text="")
            yield

    def is_due(self) -> bool:
        """Whether the interval has passed."""
        return time.monotonic() - self._last >= self._interval

    def step(self, progress: checkpoint.Progress) -> None:
        """Move the bar, or write a line if one is due."""
        done = progress.steps_done(self._steps)
        if not self.is_due():
            return
        self._last = time.monotonic()
        text = self._describe(progress, done)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, text=text)
        else:
            self._console.print(f"{self._recipe.name}  {text}", highlight=False)

    def epoch(self, row: dict[str, Any]) -> None:
        """Write a line that stays."""
        validation = row["validation_accuracy"]
        shown = "" if validation is None else f"  validation {100 * validation:.1f} %"
        self._console.print(
            f"{self._recipe.name}  epoch {row['epoch']}/{self._recipe.training.epochs}  "
            f"loss {row['loss']:.3f}  train {100 * row['train_accuracy']:.1f} %{shown}  "
            f"{row['images_per_second']:.0f} images/s  {row['seconds']:.0f} s",
            highlight=False,
        )

    def starving(self, share: float, *, num_workers: int) -> None:
        """Write a line that names the remedy."""
        self._console.print(
            f"the loader keeps the device waiting {100 * share:.0f} % of the time: more "
            f"training.num_workers ({num_workers} now)",
            highlight=False,
            soft_wrap=True,
        )

    def _describe(self, progress: checkpoint.Progress, done: int) -> str:
        settings = self._recipe.training
        num_seen = max(1, progress.num_seen)
        speed = num_seen / max(progress.seconds, 1e-9)
        left = (settings.epochs * self._steps - done) * settings.batch_size / speed
        return (
            f"epoch {progress.epoch + 1}/{settings.epochs}  "
            f"loss {progress.loss_sum / max(1, progress.step):.3f}  "
            f"train {100 * progress.num_correct / num_seen:.1f} %  "
            f"{speed:.0f} images/s  {duration(left)} left"
        )


def duration(seconds: float) -> str:
    """A time span as people say it: 45 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def size(num_bytes: int) -> str:
    """An amount of memory as people say it: 350 MB, 4.1 GB."""
    return f"{num_bytes / 1e6:.0f} MB" if num_bytes < 1e9 else f"{num_bytes / 1e9:.1f} GB"
