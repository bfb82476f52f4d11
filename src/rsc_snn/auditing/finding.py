"""What a check found, and how a difference becomes a verdict. Needs no torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from rsc_snn.auditing.paired import Difference, is_surely_above
from rsc_snn.evaluation.intervals import estimate
from rsc_snn.runs.audit_schema import FAIL, NOT_APPLICABLE, PASS, VERDICTS, WARN
from rsc_snn.runs.files import Row

MARGIN = 0.05

Point = tuple[float, float, float | None, float | None]  # x, y and the 95 % interval of y


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer of a check.

    Attributes:
        verdict: pass, warn, fail or not applicable.
        note: What was measured and why this verdict, in plain words.
        value: The number that was judged; None where nothing was measured.
        threshold: What the value was held against.
        curve: Named curves of points (x, y, low, high).
        axes: What x and y are.
    """

    verdict: str
    note: str
    value: float | None = None
    threshold: float | None = None
    curve: dict[str, list[Point]] = field(default_factory=dict)
    axes: tuple[str, str] = ("", "")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A finding with the check that gave it and what that took.

    Attributes:
        name: Of the check.
        title: What the check asks, in a few words.
        sign: Number in the list of five signs of obfuscated gradients, or None.
        finding: What was found.
        passes: Images passed through the network, forwards and backwards together counting as one.
        seconds: Time taken; measurements that checks share are counted where they were first needed.
    """

    name: str
    title: str
    sign: int | None
    finding: Finding
    passes: int
    seconds: float

    def row(self) -> Row:
        """The answer as plain data."""
        finding = asdict(self.finding)
        curve = {name: [list(point) for point in points] for name, points in self.finding.curve.items()}
        about = {"name": self.name, "title": self.title, "sign": self.sign}
        cost = {"passes": self.passes, "seconds": round(self.seconds, 3)}
        return {**about, **finding, "curve": curve, "axes": list(self.finding.axes), **cost}


def worst_of(verdicts: Sequence[str]) -> str:
    """Return the worst verdict; "not applicable" only where nothing else is there."""
    applicable = [verdict for verdict in verdicts if verdict != NOT_APPLICABLE]
    return max(applicable or [NOT_APPLICABLE], key=VERDICTS.index)


def judged(difference: Difference, *, margin: float = MARGIN) -> str:
    """Return the verdict on a difference that should not be above 0.

    Fail if it is both above the margin and beyond chance, warn if it is one of the two, else pass.
    """
    is_large, is_certain = difference.value > margin, difference.is_positive
    if is_large and is_certain:
        return FAIL
    return WARN if is_large or is_certain else PASS


def judged_share(values: Sequence[float], *, limit: float, tolerated: float) -> str:
    """Return the verdict on a share of images that should be 0.

    Fail if it is above ``limit`` and surely above ``tolerated``, warn if either is so.

    Args:
        values: One in [0, 1] per image; their mean is the share.
        limit: The most that the mean may be.
        tolerated: Share that a sound network may have.
    """
    is_large, is_certain = sum(values) / len(values) > limit, is_surely_above(values, tolerated)
    if is_large and is_certain:
        return FAIL
    return WARN if is_large or is_certain else PASS


def point(x: float, values: Sequence[float]) -> Point:
    """The mean of per-image values in [0, 1] at ``x``, with its interval."""
    found = estimate(values)
    return (float(x), found.value, found.low, found.high)


def bare_point(x: float, y: float) -> Point:
    """A point without an interval."""
    return (float(x), float(y), None, None)


def not_applicable(reason: str) -> Finding:
    """A finding that nothing could be measured."""
    return Finding(verdict=NOT_APPLICABLE, note=f"Not applicable: {reason}.")


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.1f} %"
