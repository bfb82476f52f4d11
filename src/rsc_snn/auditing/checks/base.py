"""What a check is: one question about a network, and a verdict with its number."""

import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import final

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.finding import Answer, Finding
from rsc_snn.errors import InputError
from rsc_snn.runs.audit_schema import FAIL
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractCheck(Spec):
    """A question about a network."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What is asked, in a few words."""
        raise NotImplementedError

    @property
    @abstractmethod
    def sign(self) -> int | None:
        """Number in the list of five signs of obfuscated gradients [RSC-SNN, Table 1], or None."""
        raise NotImplementedError

    @abstractmethod
    def measure(self, case: Case) -> Finding:
        """Measure and judge."""
        raise NotImplementedError

    @property
    @final
    def place(self) -> int:
        """Where it stands in the list: the signs first."""
        return self.sign or 6

    @final
    def answer(self, case: Case) -> Answer:
        """Measure, judge and note the cost. A network that cannot be measured at all fails."""
        started, passes = time.monotonic(), case.passes
        try:
            finding = self.measure(case)
        except InputError as err:
            finding = Finding(verdict=FAIL, note=f"Could not be measured: {err}.")
        return Answer(
            name=type(self).__name__,
            title=self.title,
            sign=self.sign,
            finding=finding,
            passes=case.passes - passes,
            seconds=time.monotonic() - started,
        )
