"""Each of the five signs is shown by a network that has it, and by no honest one."""

import functools

import pytest

import rsc_snn as rs
from rsc_snn.auditing.audit import Audit
from rsc_snn.runs.audit_schema import FAIL, PASS
from tests.auditing import toys

CASES = {
    "SingleStep": toys.SingleStepWins,
    "Queries": toys.BlackBoxWins,
    "OtherNetworks": toys.BlackBoxWins,
    "LargerBound": toys.Shell,
    "Unbounded": toys.NeverLost,
    "RandomNoise": toys.NoiseWins,
}
SIGNS = {
    "SingleStep": 1,
    "Queries": 2,
    "OtherNetworks": 2,
    "LargerBound": 3,
    "Unbounded": 4,
    "RandomNoise": 5,
}


@functools.cache
def audit_of(kind: type[toys.Toy]) -> Audit:
    images, labels = toys.grey()
    source = rs.wrap(toys.Bright().eval())
    return rs.audit(rs.wrap(kind().eval()), images, labels, budget="quick", sources=[source])


@pytest.mark.parametrize("name", CASES)
def test_a_network_with_the_sign_fails(name: str) -> None:
    answer = audit_of(CASES[name]).by_name[name]
    assert answer.finding.verdict == FAIL, answer.finding
    assert answer.sign == SIGNS[name]


def test_an_honest_network_shows_none() -> None:
    """Of the twin whose gradients are exact, PGD is the best attack: eps 8/255 = 0.031 crosses 0.02."""
    audit = audit_of(toys.Bright)
    verdicts = {answer.name: answer.finding.verdict for answer in audit.answers}
    assert {name: verdicts[name] for name in SIGNS} == dict.fromkeys(SIGNS, PASS), verdicts
    assert audit.worst == PASS, verdicts
    assert set(SIGNS.values()) == {answer.sign for answer in audit.answers if answer.sign}


def test_values_are_what_a_hand_calculation_gives() -> None:
    """BlackBoxWins: the white box breaks nothing, transfer everything; NeverLost: nothing ever."""
    black = audit_of(toys.BlackBoxWins).by_name
    assert black["OtherNetworks"].finding.value == 1.0
    assert black["BlindGradients"].finding.value == 1.0
    assert black["DeadPixels"].finding.value == 1.0
    never = audit_of(toys.NeverLost).by_name
    assert never["Unbounded"].finding.value == 1.0
    assert never["Unbounded"].finding.threshold == 0.25
    assert never["SingleStep"].finding.value == 0.0
    assert never["LargerBound"].finding.verdict == FAIL, "nothing falls at all"
