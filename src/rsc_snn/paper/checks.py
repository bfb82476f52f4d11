"""Checks of the numbers against each other: the QTE of every row, and cells that stand in several tables.

They catch a wrong digit that matters and not every one: 0.01 more in an accuracy moves a QTE by 0.0004.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rsc_snn.evaluation.qte import qte
from rsc_snn.paper.number import Number
from rsc_snn.paper.rows import COLUMNS

_STRENGTHS = (0.0, 8.0)
_ATTACK_OF = {"F-QTE": "FGSM", "P-QTE": "PGD"}
_ROUNDING = 0.005 + 8 / 2 * 2 * 0.005 / 100  # of the printed QTE, and of both accuracies it comes from
_BLACK_BOX = "table4"


@dataclass(frozen=True)
class Finding:
    """What a check of a number found.

    Attributes:
        check: "QTE" or "duplicate".
        number: The number that was checked.
        expected: What it should be.
        source: Where that comes from.
    """

    check: str
    number: Number
    expected: float
    source: str

    @property
    def agrees(self) -> bool:
        """Whether the number is what it should be, within what rounding allows."""
        allowed = _ROUNDING if self.check == "QTE" else 0.0
        return self.number.value is not None and abs(self.number.value - self.expected) <= allowed + 1e-9


def check_qte(numbers: Iterable[Number]) -> list[Finding]:
    """Recompute every QTE whose row has the two accuracies, by Eq. 6 between strengths 0 and 8/255."""
    found = list(numbers)
    values = {number.key: number.value for number in found}
    findings = []
    for number in found:
        attack = _ATTACK_OF.get(number.column)
        if attack is None or number.value is None:
            continue
        clean, attacked = (values.get((*number.key[:4], column)) for column in ("Clean", attack))
        if clean is not None and attacked is not None:
            expected = qte(_STRENGTHS, (clean / 100, attacked / 100))
            findings.append(
                Finding("QTE", number, expected, f"Clean {clean:.2f} and {attack} {attacked:.2f}")
            )
    return findings


def check_duplicates(numbers: Iterable[Number]) -> list[Finding]:
    """Compare each number with the first of the same network under the same attack.

    Tables 3, 5, 6 and 7 are about the same white-box attacks; Table 4 shares the clean accuracy with them.
    """
    first: dict[tuple[str, ...], Number] = {}
    findings = []
    for number in numbers:
        if number.value is None or number.column not in COLUMNS:
            continue
        is_shared = number.place != _BLACK_BOX or number.column == "Clean"
        key = (*number.key[1:], "white-box" if is_shared else "black-box")
        before = first.setdefault(key, number)
        if before is not number and before.value is not None:
            findings.append(Finding("duplicate", number, before.value, before.place))
    return findings


def check_all(numbers: Sequence[Number]) -> list[Finding]:
    """Return the findings of both checks, those that agree included."""
    return [*check_qte(numbers), *check_duplicates(numbers)]
