"""What is said about a claim, as a row of theory.jsonl."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsc_snn.runs.files import Row
from rsc_snn.runs.theory_schema import FAIL, INFO, PASS
from rsc_snn.theory.comparison import THRESHOLD

Point = list[float | None]

_ENOUGH = 2.0  # times the threshold: so large an expected difference must be seen


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An answer with its number.

    Attributes:
        name: What tells the row from others of its file.
        part: "covariance" or "similarity".
        title: The claim, in a line.
        subject: What it was tried on.
        verdict: pass, fail, or info where nothing is claimed.
        value: Largest difference in standard errors, or a mean similarity.
        threshold: What the value was compared with; None where nothing is claimed.
        note: What a reader should know.
        axes: What x and y of the curves are.
        curve: Name -> points [x, y, low, high].
        details: Further numbers.
    """

    name: str
    part: str
    title: str
    subject: str
    verdict: str
    value: float | None
    threshold: float | None = None
    note: str = ""
    axes: tuple[str, str] = ("", "")
    curve: Mapping[str, list[Point]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def row(self, **facts: Any) -> Row:
        """Return it as plain data, with facts such as the seed."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**own, "axes": list(self.axes), "curve": dict(self.curve), **facts}


def verdict_of(is_met: bool) -> str:
    """Pass or fail."""
    return PASS if is_met else FAIL


def verdict_of_refutation(found: float, foreseen: float) -> str:
    """Return the verdict on a claim that should not hold.

    Args:
        found: Largest difference from the claim, in standard errors.
        foreseen: What the closed form lets expect of it.

    Returns:
        pass where the difference is seen; fail where it is foreseen and not seen; info where so few samples
        need not show it.
    """
    if found > THRESHOLD:
        return PASS
    return FAIL if foreseen > _ENOUGH * THRESHOLD else INFO
