"""Training in a cell: a few words about how far it is."""

from collections.abc import Callable

from rsc_snn.training import checkpoint
from rsc_snn.training.display import SilentDisplay


class TellingDisplay(SilentDisplay):
    """Tells epoch and step, and leaves the rest to the rows.

    Args:
        tell: Called with the words.
    """

    def __init__(self, tell: Callable[[str], None]):
        self._tell = tell

    def is_due(self) -> bool:
        """At every step: the words cost nothing."""
        return True

    def step(self, progress: checkpoint.Progress) -> None:
        """Tell epoch and step."""
        self._tell(f"epoch {progress.epoch + 1}, step {progress.step}")
