"""What a case is: something to measure, with a name, in a process of its own."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from rsc_snn.benchmarks.settings import Settings
from rsc_snn.errors import InputError
from rsc_snn.runs.files import Row
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractCase(Spec):
    """A comparison; a new one is one new module in the folder ``cases``."""

    name: ClassVar[str]
    position: ClassVar[int]  # in the run and on the page

    @abstractmethod
    def measure(self, settings: Settings) -> list[Row]:
        """Return a row per side.

        Raises:
            InputError: a side does not compute what ours does, or is not there.
        """
        raise NotImplementedError

    def perform(self, task: Row, settings: Settings) -> Row:
        """Do a piece of the case, in a process that does nothing else; what it needs is in ``task``."""
        raise InputError(f"case {self.name} has no tasks, got {task}")
