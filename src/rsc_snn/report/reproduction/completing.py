"""Both protocols side by side: a line gets what another line measured on the same network. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rsc_snn.report.reproduction.compared import AUDIT, RELIABLE, attacks_of
from rsc_snn.report.reproduction.place import place_of
from rsc_snn.runs.reproduction import Line, Rows

_DEFAULT = 8 / 255
_WHITE_BOX = ("figure1", "table3", "table5", "table6", "table7")  # where FGSM and PGD are the paper's own
_OVER_EPS = "eps"
_Key = tuple[object, ...]


def completed(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with what the same networks, of the same seeds, have elsewhere at the same strength.

    A line without the reliable protocol gets it from any other, and the audit of its networks; one of the
    place "eps" gets the paper's FGSM and PGD from Figure 1 or a table of white-box attacks. Arms of a
    question stay as they are.
    """
    reliable: dict[_Key, tuple[Rows, ...]] = {}
    attacks: dict[_Key, Mapping[str, tuple[Rows, ...]]] = {}
    audits = {_key(line)[:-1]: line.numbers[AUDIT] for line in lines if AUDIT in line.numbers}
    for line in (line for line in lines if not place_of(line.place).is_question):
        if RELIABLE in line.numbers:
            reliable.setdefault(_key(line), line.numbers[RELIABLE])
        if line.place in _WHITE_BOX and attacks_of(line):
            attacks.setdefault(_key(line), {name: line.numbers[name] for name in attacks_of(line)})
    found = []
    for line in lines:
        if place_of(line.place).is_question:
            found.append(line)
            continue
        numbers = dict(line.numbers)
        if attacks_of(line) and _key(line) in reliable:
            numbers.setdefault(RELIABLE, reliable[_key(line)])
        if attacks_of(line) and _key(line)[:-1] in audits:
            numbers.setdefault(AUDIT, audits[_key(line)[:-1]])
        if line.place == _OVER_EPS and line.numbers:
            numbers = {**attacks.get(_key(line), {}), **numbers}
        found.append(replace(line, numbers=numbers))
    return found


def runs_of(line: Line) -> tuple[str, ...]:
    """Run folders of a line, one per seed."""
    return next((tuple(rows.run for rows in places) for places in line.numbers.values()), ())


def _key(line: Line) -> _Key:
    """Networks and attack strength: the same runs, all of them, since a mean must not mix seeds.

    The same run may stand in for several networks of the paper.
    """
    where = () if line.stand_in else (line.dataset, line.network)
    return (*where, line.method, runs_of(line), line.conditions.get("eps", _DEFAULT))
