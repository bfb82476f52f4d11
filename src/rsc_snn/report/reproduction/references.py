"""Which arm of a question the others are set beside. Needs no torch."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rsc_snn.runs.reproduction import Line


@dataclass(frozen=True)
class _Rule:
    """What a reference is.

    Attributes:
        is_reference: Whether an arm is one.
        within: What an arm shares with its reference, beside data set and network.
    """

    is_reference: Callable[[Line], bool]
    within: Callable[[Line], Hashable] = lambda line: None


def _variance(line: Line) -> float | None:
    return line.conditions.get("variance")


def _called(method: str) -> Callable[[Line], bool]:
    return lambda line: line.method == method


_RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        "adversarial": _Rule(
            lambda line: " + " not in line.method, within=lambda line: line.method.partition(" + ")[0]
        ),
        "parts": _Rule(_called("RSC-0.1")),
        "resampling": _Rule(_called("RSC-I"), within=_variance),
        "surrogates": _Rule(_called("triangle of width 1")),
        "timesteps": _Rule(lambda line: line.conditions.get("T") == 1),
        "tradeoff": _Rule(lambda line: line.method == "RSC" and _variance(line) == 0.01),
        "variance": _Rule(_called("Direct")),
    }
)
"""A question that is not here has no reference."""


def reference_of(arm: Line, arms: Sequence[Line]) -> Line | None:
    """Return the arm that another one is set beside, itself if it is one; None where it was not asked for.

    Args:
        arm: Of a question.
        arms: All of that question.
    """
    rule = _RULES.get(arm.place)
    if rule is None:
        return None
    group = _group(rule, arm)
    return next((each for each in arms if rule.is_reference(each) and _group(rule, each) == group), None)


def _group(rule: _Rule, line: Line) -> Hashable:
    return (line.dataset, line.network, rule.within(line))
