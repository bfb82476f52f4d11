"""Ways to check a claim: cells above others, gains as stated, all of several things."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rsc_snn.paper.claim import Answer, Cells, Verdict

Check = Callable[[Cells], Answer]
NETWORKS = (
    ("CIFAR-10", "VGG-5"),
    ("CIFAR-100", "VGG-11"),
    ("Tiny-ImageNet", "VGG-16"),
    ("ImageNet", "ResNet-19"),
    ("ImageNet", "SEW-ResNet-18"),
)
_ROUNDING = 1e-6  # gains and cells are printed to the same two decimals


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        place: Such as "table3".
        network: (data set, network).
        method: Row label.
        column: Column head.
    """

    place: str
    network: tuple[str, str]
    method: str
    column: str

    def value(self, cells: Cells) -> float | None:
        """Return its value; None where it is lost."""
        return cells[(self.place, *self.network, self.method, self.column)]

    @property
    def row(self) -> str:
        """Its place and row, in words."""
        return f"Table {self.place[-1]}, {self.network[0]}, {self.network[1]}"


def pairs(
    place: str,
    networks: Iterable[tuple[str, str]],
    higher: str,
    lower: Sequence[str],
    columns: Sequence[str],
) -> list[tuple[Cell, Cell]]:
    """Return (cell of ``higher``, cell of one of ``lower``) in the same network and column."""
    return [
        (Cell(place, network, higher, column), Cell(place, network, other, column))
        for network in networks
        for column in columns
        for other in lower
    ]


def above(compared: Sequence[tuple[Cell, Cell]]) -> Check:
    """Check that the first of each pair is above the second.

    One legible pair the other way contradicts; without such a pair, a lost cell leaves the claim open.
    """

    def check(cells: Cells) -> Answer:
        values = [(a, b, a.value(cells), b.value(cells)) for a, b in compared]
        legible = [(a, b, x, y) for a, b, x, y in values if x is not None and y is not None]
        against = [(a, b, x, y) for a, b, x, y in legible if x <= y]
        lost = len(values) - len(legible)
        verdict = Verdict.CONTRADICTED if against else Verdict.LOST if lost else Verdict.HOLDS
        shown = against or legible
        summary = _summary(len(legible) - len(against), len(legible), lost)
        return Answer(verdict, (summary, *(_in_words(*pair) for pair in shown)))

    return check


def beside(check: Check, words: str, compared: Sequence[tuple[Cell, Cell]]) -> Check:
    """Add legible pairs that the claim is not about, after the count; they decide nothing.

    Args:
        check: What decides.
        words: Why the pairs do not.
        compared: As in ``above``.
    """

    def checked(cells: Cells) -> Answer:
        answer = check(cells)
        values = [(a, b, a.value(cells), b.value(cells)) for a, b in compared]
        found = [_in_words(a, b, x, y) for a, b, x, y in values if x is not None and y is not None]
        count, *deciding = answer.evidence
        return replace(answer, evidence=(count, *(f"{words}: {each}" for each in found), *deciding))

    return checked


def gain(claimed: float, after: Cell, before: Cell) -> Check:
    """Check that ``after`` - ``before`` is what the text says, in points."""

    def check(cells: Cells) -> Answer:
        x, y = after.value(cells), before.value(cells)
        if x is None or y is None:
            return Answer(Verdict.LOST, (f"{after.row}: a cell of {after.column} is lost",))
        verdict = Verdict.HOLDS if abs(x - y - claimed) < _ROUNDING else Verdict.CONTRADICTED
        words = f"{after.row}: {after.column} {y:.2f} to {x:.2f} is {x - y:+.2f}, claimed {claimed:+.2f}"
        return Answer(verdict, (words,))

    return check


def change(before: float, after: float, first: Cell, second: Cell) -> Check:
    """Check that a rise which the text states is that of two cells."""

    def check(cells: Cells) -> Answer:
        found = (first.value(cells), second.value(cells))
        if None in found:
            return Answer(Verdict.LOST, (f"{first.row}: a cell of {first.column} is lost",))
        verdict = Verdict.HOLDS if found == (before, after) else Verdict.CONTRADICTED
        words = f"{first.row}: {first.column} {found[0]:.2f} to {found[1]:.2f}"
        return Answer(verdict, (f"{words}, claimed {before:.2f} to {after:.2f}",))

    return check


def all_of(*checks: Check) -> Check:
    """Check several things; the worst verdict counts: contradicted, then lost, then holds."""
    order = (Verdict.CONTRADICTED, Verdict.LOST, Verdict.HOLDS)

    def check(cells: Cells) -> Answer:
        answers = [each(cells) for each in checks]
        verdict = min((answer.verdict for answer in answers), key=order.index)
        return Answer(verdict, tuple(words for answer in answers for words in answer.evidence))

    return check


def lost(*evidence: str) -> Check:
    """Say why nothing can be checked."""
    return lambda cells: Answer(Verdict.LOST, evidence)


def measured_by(place: str, *evidence: str, tables: Check | None = None) -> Check:
    """Say what measures it, what is known before, and what ``tables`` finds; a contradiction counts."""

    def check(cells: Cells) -> Answer:
        found = None if tables is None else tables(cells)
        if found is None:
            return Answer(Verdict.TO_MEASURE, evidence, place)
        is_against = found.verdict is Verdict.CONTRADICTED
        verdict = found.verdict if is_against else Verdict.TO_MEASURE
        return Answer(verdict, (*evidence, *found.evidence), place)

    return check


def _summary(agree: int, legible: int, lost: int) -> str:
    if not legible:
        return f"no pair of cells is legible: {lost} have a lost cell"
    unknown = f"; {lost} more pairs have a lost cell" if lost else ""
    return f"true in {agree} of {legible} pairs of legible cells{unknown}"


def _in_words(a: Cell, b: Cell, x: float, y: float) -> str:
    sign = ">" if x > y else "<" if x < y else "="
    if a.column == b.column and a.place == b.place:
        return f"{a.row}, {a.column}: {a.method} {x:.2f} {sign} {b.method} {y:.2f}"
    elsewhere = "" if a.place == b.place else f" of Table {b.place[-1]}"
    return f"{a.row}, {a.method}: {a.column} {x:.2f} {sign} {b.column} {y:.2f}{elsewhere}"
