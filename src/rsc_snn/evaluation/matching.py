"""Which rows of two runs are about the same image under the same attack. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from rsc_snn.errors import InputError
from rsc_snn.evaluation.same_list import SameList, in_words, same_list, settings_of
from rsc_snn.evaluation.summary import WORST, group
from rsc_snn.runs.files import Row

_KEY = ("suite", "budget", "norm", "eps", "entry")
_Key = tuple[object, ...]


@dataclass(frozen=True)
class Pair:
    """Scored rows of two runs: the same suite, budget, norm, eps and entry, image by image.

    Attributes:
        first: Rows of the first run, by image.
        second: Those of the second, of the same images.
    """

    first: list[Row]
    second: list[Row]

    @property
    def seeds(self) -> tuple[int, int]:
        """Seeds of the noise."""
        return self.first[0]["seed"], self.second[0]["seed"]

    @property
    def draws(self) -> tuple[int, int]:
        """Scoring draws per image."""
        return self.first[0]["num_draws"], self.second[0]["num_draws"]


@dataclass(frozen=True)
class Matching:
    """What can be compared.

    Attributes:
        pairs: In the order of the first run.
        notes: What cannot, and what is not quite the same.
    """

    pairs: list[Pair]
    notes: list[str]


def matching(first: Sequence[Row], second: Sequence[Row]) -> Matching:
    """Match the scored rows of two runs.

    Where a run has several seeds of an entry, the lowest that both have is taken, else the lowest of each.

    Raises:
        InputError: a run has no rows, or they are of different test sets.
    """
    for number, rows in (("first", first), ("second", second)):
        if not rows:
            raise InputError(f"the {number} run has no rows; make them with 'rsc-snn attack RUN'")
    _require_same_images(first, second)
    ours, theirs = _by_entry(first), _by_entry(second)
    pairs: list[Pair] = []
    notes: list[str] = []
    for key in ours:
        if key not in theirs:
            continue
        seeds = _seeds(ours[key], theirs[key])
        own, other = ours[key][seeds[0]], theirs[key][seeds[1]]
        lists = _lists(key, seeds, first, second)
        if reason := lists.why_not or _why_not(key, own, other):
            notes.append(reason)
            continue
        pair = _on_shared_images(own, other)
        if pair.first:
            pairs.append(pair)
            notes += lists.notes
        else:
            notes.append(f"{key[-1]}: no image in common")
    notes += _left_out(ours, theirs)
    return Matching(pairs, list(dict.fromkeys(notes)))


def _by_entry(rows: Sequence[Row]) -> dict[_Key, dict[int, list[Row]]]:
    """Scored rows by what must agree, then by seed; entries that are only ranked are left out."""
    found: dict[_Key, dict[int, list[Row]]] = {}
    for part in group(rows).values():
        if all(row["adversarial_counts"] is not None for row in part):
            key = tuple(part[0][name] for name in _KEY)
            found.setdefault(key, {})[part[0]["seed"]] = part
    return found


def _require_same_images(first: Sequence[Row], second: Sequence[Row]) -> None:
    labels: dict[int, tuple[int, int]] = {}
    for row in (*first, *second):
        is_of = (row["label"], len(row["clean_counts"]))
        label, num_classes = labels.setdefault(row["index"], is_of)
        if is_of != (label, num_classes):
            raise InputError(
                f"image {row['index']} has label {label} of {num_classes} classes in one place and "
                f"{is_of[0]} of {is_of[1]} in another; the runs must be of the same test set"
            )


def _seeds(ours: dict[int, list[Row]], theirs: dict[int, list[Row]]) -> tuple[int, int]:
    shared = sorted(ours.keys() & theirs.keys())
    return (shared[0], shared[0]) if shared else (min(ours), min(theirs))


def _why_not(key: _Key, ours: Sequence[Row], theirs: Sequence[Row]) -> str | None:
    """Why an entry of the same name is not the same attack; the worst case is whatever won."""
    settings = settings_of(ours), settings_of(theirs)
    if key[-1] == WORST or settings[0] == settings[1]:
        return None
    return f"{key[-1]} is left out: it is {in_words(*settings)}"


def _on_shared_images(ours: Sequence[Row], theirs: Sequence[Row]) -> Pair:
    other = {row["index"]: row for row in theirs}
    first = [row for row in ours if row["index"] in other]
    return Pair(first, [other[row["index"]] for row in first])


def _lists(key: _Key, seeds: tuple[int, int], first: Sequence[Row], second: Sequence[Row]) -> SameList:
    """Compare the lists behind two worst cases; other entries have none."""
    if key[-1] != WORST:
        return SameList()
    lists = [
        [row for row in rows if tuple(row[name] for name in _KEY[:-1]) == key[:-1] and row["seed"] == seed]
        for rows, seed in zip((first, second), seeds, strict=True)
    ]
    return same_list(str(key[0]), *lists)


def _left_out(ours: dict[_Key, dict[int, list[Row]]], theirs: dict[_Key, dict[int, list[Row]]]) -> list[str]:
    return [
        f"only the {where} run has {_name(key)}"
        for where, own, other in (("first", ours, theirs), ("second", theirs, ours))
        for key in own
        if key not in other
    ]


def _name(key: _Key) -> str:
    suite, budget, norm, eps, entry = key
    strength = f"{255 * eps:.4g}/255" if isinstance(eps, float) and norm == "linf" else eps
    return f"{entry} of suite {suite} (budget {budget}, {norm}, eps {strength})"
